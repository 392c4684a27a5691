"""Module 08, Monitor in production: what is measured, what is alerted on, and what it proves."""
