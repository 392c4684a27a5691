"""Module 10, Cut the cost: what is paid for, what need not be, and what that costs elsewhere."""
