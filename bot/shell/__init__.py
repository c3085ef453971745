"""Acts: SQLite, Discord, processes, the bucket, the clock. Begin with daemon.py, which wires it all."""
