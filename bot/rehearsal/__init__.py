"""A whole cycle on one machine: an embedded Discord, peers who play their part, a judge. Begin: play.py."""
