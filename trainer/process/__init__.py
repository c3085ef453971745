"""How a job runs as a process: its folder, its lock, its workers, and what one sees of it."""
