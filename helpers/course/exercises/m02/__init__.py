"""Module 02, Evaluate before shipping: from an evaluator of one answer to the gate of a release."""
