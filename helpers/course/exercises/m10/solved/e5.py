# Written by `course build` from solutions/src/10_cut_the_cost.py: change it there.
# The exercise's own cell.
import numpy as np
import pandas as pd


def causes(calls: pd.DataFrame) -> pd.DataFrame:
    """What five causes cost, most expensive first."""
    calls = calls.sort_values("time")
    worked = calls["status"] == "ok"
    number = worked.groupby(calls["request"]).cumsum()

    first = calls.drop_duplicates("request")
    same_text = first["text"].str.strip().str.casefold()
    two_before = first.groupby(["conversation", same_text])["time"].shift(2)
    repeats = first["request"][first["time"] - two_before <= pd.Timedelta(minutes=10)]

    applies = {
        "failed": ~worked,
        "loop": number > 4,
        "repeat": calls["request"].isin(repeats),
        "pasted": calls["text"].str.len() > 700,
        "oversized": (calls["intent"] == "small talk") & (calls["model"] == "large"),
    }
    calls["cause"] = np.select(list(applies.values()), list(applies), default="none")
    costly = calls[calls["cause"] != "none"].groupby("cause")
    table = costly.agg(micro_usd=("micro_usd", "sum"), requests=("request", "nunique"))
    return table.reset_index().sort_values(["micro_usd", "cause"], ascending=[False, True])
ANSWER = causes
