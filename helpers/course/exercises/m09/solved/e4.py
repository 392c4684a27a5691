# Written by `course build` from solutions/src/09_trace_with_langsmith.py: change it there.
# The exercise's own cell.
from langsmith import Client


def curate(client: Client, project: str, name: str) -> None:
    """Add the newest corrected complaints of the project to the dataset."""
    complaint = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
    runs = list(client.list_runs(project_name=project, is_root=True, filter=complaint))
    said = client.list_feedback(run_ids=[run.id for run in runs], feedback_key=["helpful"])
    latest = {one.run_id: one for one in sorted(said, key=lambda one: one.created_at)}

    if not client.has_dataset(dataset_name=name):
        client.create_dataset(name)
    there = list(client.list_examples(dataset_name=name))
    seen = {plain(example.inputs.get("question", "")) for example in there}
    new = []
    for run in sorted(runs, key=lambda run: run.start_time, reverse=True):
        question, feedback = run.inputs["question"], latest[run.id]
        corrected = feedback.score == 0 and "answer" in (feedback.correction or {})
        if corrected and plain(question) not in seen and len(there) + len(new) < 10:
            seen.add(plain(question))
            new.append({"inputs": {"question": question}, "source_run_id": run.id,
                        "reference_outputs": {"answer": feedback.correction["answer"]}})
    if new:
        client.create_examples(dataset_name=name, examples=new)


def plain(question):
    """A question without what does not count."""
    return " ".join(question.split()).casefold()
ANSWER = curate
