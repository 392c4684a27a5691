"""A project to look at: hostile text, an error, a model without a price, feedback."""

import uuid
from typing import Any

from langsmith import Client

from tests.tracing.serving import PRICED, UNPRICED

HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"


def fill(client: Client, project: str) -> list[str]:
    """Trace 60 requests of one to three seconds; the ids of their roots, oldest first."""
    runs: list[dict[str, Any]] = []
    roots = []
    for n in range(60):
        root, model, tool = (uuid.uuid4() for _ in range(3))
        minute, takes = f"2026-06-15T{9 + n // 60:02}:{n % 60:02}", 1 + n % 3
        end = f"{minute}:{takes:02}+00:00"
        name = HOSTILE if n == 7 else f"request {n}"
        shared = {"session_name": project, "start_time": f"{minute}:00+00:00", "end_time": end}
        usage = {"input_tokens": 100 * (n + 1), "output_tokens": n, "total_tokens": 101 * n + 100}
        above = f"20260615T{n:012}Z{root}"
        metadata = {"ls_model_name": UNPRICED if n == 3 else PRICED}
        runs += [
            {"id": root, "trace_id": root, "dotted_order": above, "name": name,
             "run_type": "chain", "inputs": {"question": HOSTILE if n == 7 else f"question {n}"},
             "tags": ["night"] if n % 2 else [HOSTILE if n == 7 else "day"],
             "extra": {"metadata": {"customer": HOSTILE if n == 7 else f"C-{n:04}"}},
             "outputs": {"answer": HOSTILE if n == 7 else f"answer {n}"}, **shared},
            {"id": model, "trace_id": root, "parent_run_id": root, "run_type": "llm",
             "dotted_order": f"{above}.20260615T{n:012}Z{model}", "name": "model",
             "inputs": {}, "outputs": {"usage_metadata": usage},
             "extra": {"metadata": metadata}, **shared},
            {"id": tool, "trace_id": root, "parent_run_id": root, "run_type": "tool",
             "dotted_order": f"{above}.20260615T{n + 1:012}Z{tool}", "name": "lookup_order",
             "inputs": {"order_id": "FH-10234"},
             **({"error": f"TimeoutError: {HOSTILE}"} if n == 5 else {}),
             **{**shared, "start_time": f"{minute}:00.500000+00:00"}},
        ]  # fmt: skip
        if n == 5:
            runs[-3]["error"] = "TimeoutError"
        roots.append(str(root))
    client.multipart_ingest(create=runs)
    session = client.read_project(project_name=project).id
    client.create_feedback(roots[7], "helpful", score=0.5, comment=HOSTILE, session_id=session)
    return roots
