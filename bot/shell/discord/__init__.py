"""Discord itself. Nothing outside this room knows the client library."""
