"""The Discord side: what is heard becomes events, `core` decides, `shell` acts. Light: never torch or numpy."""
