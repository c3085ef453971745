"""What time brings: reports that are due, silence on a proposal, a clock that jumps."""
