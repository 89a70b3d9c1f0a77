"""The parts of networks of inverted residual blocks."""
