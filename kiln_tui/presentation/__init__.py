"""Pure functions from views to words and cells: no widget, no clock, no I/O."""
