"""The Discord side: `shell` hears and acts, `core` decides. Light: never torch or numpy."""
