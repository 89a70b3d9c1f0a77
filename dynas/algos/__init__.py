"""Search algorithms behind one ask/tell contract."""
