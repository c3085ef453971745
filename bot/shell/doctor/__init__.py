"""`training-claw doctor`: everything the daemon will need, looked at before it needs it."""
