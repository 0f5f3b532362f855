"""What a board's sensors say, one source a module. Each takes the root of the file system, so that tests build one."""
