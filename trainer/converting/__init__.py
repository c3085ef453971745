"""A checked data set in the form it is trained from, and as a LeRobotDataset."""
