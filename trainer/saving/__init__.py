"""What a training leaves on disk, whole or not at all, and how it goes on from there."""
