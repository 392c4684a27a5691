"""Module 10, Cut the cost: what is counted, what is answered without a model, what is saved."""
