"""Whether the daemon and its machine are well: liveness, heat, power, the record of runs, the status file."""
