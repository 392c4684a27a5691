"""Module 03, Stop prompt injection: five controls, the last of them against attacks of others."""
