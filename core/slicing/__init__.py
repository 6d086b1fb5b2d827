"""Profiles, engines and the driver of a real slicer."""
