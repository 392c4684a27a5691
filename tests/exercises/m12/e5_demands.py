"""Answers to exercise 12.5: made from what Q5 demands, with one fault each."""

from tests.exercises.m12.made import answers

globals().update(answers("Q5"))
