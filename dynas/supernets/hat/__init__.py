"""The parts of HAT's Transformer."""
