"""What ``dynas new`` writes: one working part of each role, its YAML and its test, under the name ``Mine``."""
