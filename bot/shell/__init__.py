"""Acts: SQLite, Discord, processes, the bucket, the clock. Begin with daemon.py, where all is wired together."""
