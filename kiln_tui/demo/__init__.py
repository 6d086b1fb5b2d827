"""The demo: a throw-away or named site with six simulated printers, generated parts and real slicing."""
