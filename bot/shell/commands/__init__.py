"""What one types in a terminal: `training-claw serve`, `status`, `lessons`, `state`, `alarm`."""
