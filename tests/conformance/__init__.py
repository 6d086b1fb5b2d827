"""One contract, every adapter: see rigs.py for how another one joins."""
