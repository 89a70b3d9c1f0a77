"""The parts of residual networks: ordinary ones and elastic ones."""
