"""The event log: SQLite that survives the plug being pulled."""
