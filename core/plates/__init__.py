"""Layout of instances on a bed, and our own plate file."""
