"""`course serve-check`: load and faults against the running service, and the evidence of both."""
