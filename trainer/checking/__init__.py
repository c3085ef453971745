"""Is a data set fit to train on: what is looked at, what is found, and the verdict in words and pictures."""
