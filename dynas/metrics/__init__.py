"""What is measured or counted of a sub-network."""
