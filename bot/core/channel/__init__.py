"""What is said to us in the channel: when it is whole, whose word it is, and what it makes us do."""
