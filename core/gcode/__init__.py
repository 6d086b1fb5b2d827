"""The gate on G-code: one-pass scan, reference interpreter, verdict."""
