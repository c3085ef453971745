"""Where what happened becomes what we know, the lanes that carry out what is owed, and the clock."""
