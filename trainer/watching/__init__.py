"""What a training shows of itself: its lines, its curves, and the facts that may be lessons."""
