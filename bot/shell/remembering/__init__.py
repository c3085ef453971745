"""What the daemon remembers: one SQLite file, its tables, its older forms, and how it is put right."""
