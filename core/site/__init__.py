"""A site: its directory, its settings and secrets, and the core that runs on it."""
