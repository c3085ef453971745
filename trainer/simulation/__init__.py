"""A simulator's output for tests and rehearsals, and ways to spoil it on purpose."""
