"""How the daemon looks from outside, nobody disturbed: one look, its facts, a window on the loopback."""
