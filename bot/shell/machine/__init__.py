"""What the machine is to the daemon: a folder of its own, a clock that may jump, a supervisor it answers."""
