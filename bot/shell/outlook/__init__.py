"""How the daemon looks from outside, without disturbing it: one look, its facts, and a window on the loopback."""
