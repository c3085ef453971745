"""Decides, and touches nothing: `step(state, event, policy) -> (state, effects)`. Begin with step.py."""
