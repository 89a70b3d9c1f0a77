"""From a trained network to a smaller one within a limit: what `dynas compress` does, step by step."""
