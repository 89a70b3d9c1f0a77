"""Elastic Transformer encoders of words and of images."""
