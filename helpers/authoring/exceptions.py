"""The modules that do not keep every rule of the course yet; the list only shrinks."""

PAGES: tuple[str, ...] = ("12",)
"""Modules that are a page so far: a walkthrough without solution, lab, exercises and quiz.

A module leaves the list with its first other part, and then needs all of them.
"""
