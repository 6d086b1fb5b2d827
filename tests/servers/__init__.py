"""Real servers that the suite sets up by itself."""
