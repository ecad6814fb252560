"""What is shipped and kept: the wheel, the lock files, the repository itself."""
