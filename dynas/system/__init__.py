"""This machine: its facts, files and folders, locks and limits."""
