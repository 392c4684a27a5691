"""Answers to exercise 12.1: made from what Q1 demands, with one fault each."""

from tests.exercises.m12.made import answers

globals().update(answers("Q1"))
