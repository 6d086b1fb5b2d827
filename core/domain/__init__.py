"""Domain types and pure decisions: no I/O, no clock, no random numbers."""
