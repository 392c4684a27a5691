"""The exercises of module 04, and what their checks need."""
