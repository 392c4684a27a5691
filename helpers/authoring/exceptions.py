"""The modules that do not keep every rule of the course yet; the lists only shrink."""

NOT_REBUILT: tuple[str, ...] = ()
"""Modules from before the rules: of style, of words, of names called, of one file an exercise.

A module leaves the list when it is rebuilt, and no module enters it. Tests hold that each of these
breaks a rule (else it does not belong here) and that every other module keeps all of them.
"""

PAGES: tuple[str, ...] = ("12",)
"""Modules that are a page so far: a walkthrough without solution, lab, exercises and quiz.

A module leaves the list with its first other part, and then needs all of them.
"""
