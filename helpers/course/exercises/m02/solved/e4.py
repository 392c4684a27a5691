# Written by `course build` from solutions/src/02_evaluate_before_shipping.py: change it there.
import pandas as pd
# The exercise's own cell.
def hit(question: dict) -> bool:
    """Whether the new search can no longer find this question's document."""
    newest_found = pd.Timestamp("2026-04-07")
    return question["updated"] > newest_found
ANSWER = hit
