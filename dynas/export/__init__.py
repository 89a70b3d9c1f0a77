"""Writing a measured sub-network as files that run without its supernet."""
