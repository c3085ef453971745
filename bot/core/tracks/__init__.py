"""A cycle from its beginning to its end: its tracks, each moved by the events that are its own."""
