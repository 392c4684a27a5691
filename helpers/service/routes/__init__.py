"""The addresses that the service answers at."""
