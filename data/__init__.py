"""Facts as YAML: printers, materials, reason codes, default policy, profiles; a source and a date per fact."""
