"""What a data set is: its files and episodes in every form that is read, and the one it is converted to."""
