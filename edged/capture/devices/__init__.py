"""Which cameras there are, how to know one again, and when one comes or goes."""
