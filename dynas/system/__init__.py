"""What this machine is and does: its facts, files and folders, locks and limits."""
