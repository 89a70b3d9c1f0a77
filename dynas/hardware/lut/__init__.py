"""Latency tables: their files, how they are made, and how far they are off."""
