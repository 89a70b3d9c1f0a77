"""What is derived from the results of runs."""
