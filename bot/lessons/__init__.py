"""What is done about a lesson, and what a run may teach: tables of small pure functions."""
