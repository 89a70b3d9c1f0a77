"""Words and contracts: what everything else is made of."""
