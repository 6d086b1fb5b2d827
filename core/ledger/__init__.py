"""The event store: append, hash chain, projections, artifacts, effects, lock."""
