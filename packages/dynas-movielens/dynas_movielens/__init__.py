"""Ratings of MovieLens and a network trained on them, for `dynas`. Not for commercial use: see LICENCE."""
