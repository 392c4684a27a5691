"""Module 00, Start here: two small exercises that teach how a lab works."""
