"""Where latency comes from, and facts about the machine."""
