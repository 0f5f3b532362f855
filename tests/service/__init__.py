"""What makes a service of edged: its units, and how it is installed."""
