"""Weights of supernets: where they come from and how they are stored."""
