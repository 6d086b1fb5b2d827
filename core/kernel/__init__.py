"""Command handling: the single writer and the decisions behind each command."""
