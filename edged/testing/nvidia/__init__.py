"""A GPU of make-believe and stand-ins for NVIDIA's libraries on it, for machines that have neither."""
