"""How algorithms and measurements are wired together."""
