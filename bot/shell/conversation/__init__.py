"""A chat channel, whoever serves it: who is heard, what is read again, what goes out and in which order."""
