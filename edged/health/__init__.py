"""How the daemon is: status, and what keeps it alive."""
