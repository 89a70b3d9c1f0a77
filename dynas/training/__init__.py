"""Training of elastic supernets."""
