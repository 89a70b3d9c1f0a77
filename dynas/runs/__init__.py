"""The run folder: written, read back, and what follows from it."""
