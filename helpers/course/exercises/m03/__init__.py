"""Module 03, Stop prompt injection: controls around an agent, and attacks by other authors."""
