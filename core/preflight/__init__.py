"""Gate A: what is wrong with a model, found in a worker process."""
