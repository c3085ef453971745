"""Acts: SQLite, Discord, processes, the bucket, the clock. Begin with daemon.py and wiring.py."""
