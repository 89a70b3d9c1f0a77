"""The parts of neural collaborative filtering."""
