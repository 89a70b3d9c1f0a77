"""Where candidates are measured: here, in other processes, or on other machines."""
