"""From configs to objects."""
