"""What a user sees while something is measured."""
