"""Palettes, styles and icon sets."""
