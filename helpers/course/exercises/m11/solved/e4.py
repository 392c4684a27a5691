# Written by `course build` from solutions/src/11_operate_and_improve.py: change it there.
# The exercise's own cell.
import pandas as pd

ADDRESS = r"[\w-]+\.example\b"


def diagnose(metrics: pd.DataFrame, runs: pd.DataFrame) -> tuple[str, str]:
    """The cause of an incident, and the model, customer or other thing that it is about."""
    before, now = metrics[:60].sum(), metrics[60:].sum()
    runs = runs.assign(failed=runs["error"] != "").sort_values("start_time")
    late = runs[runs["start_time"] >= metrics.index[60]]
    early = runs[runs["start_time"] < metrics.index[60]]

    calls = late[late["run_type"] == "llm"]
    failing = calls.groupby("model")["failed"].mean()
    if now["failed"] / now["requests"] >= 0.2 and failing.max() >= 0.5:
        return "model down", failing.idxmax()

    usual = before["first_token_s"] / before["answers"]
    if now["answers"] and now["first_token_s"] / now["answers"] >= 3 * usual:
        seconds = calls["end_time"] - calls["start_time"]
        return "model slow", seconds.groupby(calls["model"]).mean().idxmax()

    requests = late[late["run_type"] == "chain"]
    tokens = requests.groupby("customer")["tokens"].sum()
    customers = tokens.drop("", errors="ignore") / tokens.sum()
    if now["dollars"] >= 2 * before["dollars"] and customers.max() >= 0.5:
        return "cost spike by one customer", customers.idxmax()

    known = early["answer"].str.findall(ADDRESS).explode()
    found = requests.set_index("id")["answer"].str.findall(ADDRESS).explode().dropna()
    new = found[~found.isin(known)].reset_index().drop_duplicates()
    in_answers = new["answer"].value_counts()
    if in_answers.max() >= 3:
        answers = new["id"][new["answer"] == in_answers.idxmax()]
        first = late["documents"][late["parent_run_id"].isin(answers)].str[0]
        return "poisoned document", first.value_counts().idxmax()

    if now["canaries_wrong"] - before["canaries_wrong"] >= 2:
        revisions = runs["revision"][runs["run_type"] == "chain"]
        if revisions.iloc[0] != revisions.iloc[-1]:
            return "bad release", revisions.iloc[-1]
        tools = late[late["run_type"] == "tool"].groupby("name")["failed"]
        usual = early[early["run_type"] == "tool"].groupby("name")["failed"].mean()
        rise = tools.mean() - usual.reindex(tools.mean().index, fill_value=0)
        rise = rise[tools.sum() >= 3]
        if rise.max() >= 0.25:
            return "failing tool", rise.idxmax()
    return "none", ""
ANSWER = diagnose
