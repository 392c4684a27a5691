"""Module 08, Monitor in production: what is measured, what alerts, who is treated worse."""
