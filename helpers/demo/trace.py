"""Where in a trace a text came in, was read and went out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported when the demo runs, so that `--help` is instant
    from langsmith import Client
    from langsmith.schemas import Run

Holds = Callable[[str], bool]
"""Says of a text whether something is in it."""


@dataclass(frozen=True)
class Step:
    """One step of the agent, as its trace has it.

    Attributes:
        number: its place in the run, from 1.
        name: the step's name in the trace, with the tools that it ran.
        seconds: how long it took.
        read: tokens that models read in it.
        written: tokens that models wrote in it.
        note: what the planted note did in it: "read", "came in", both or nothing.
        code: what the secret did in it: "read", "went out", both or nothing.
    """

    number: int
    name: str
    seconds: float
    read: int
    written: int
    note: str
    code: str

    def row(self) -> list[str]:
        """The step's cells in a table."""
        seconds = f"{self.seconds:.1f}"
        counts = [str(self.read), str(self.written)]
        return [str(self.number), self.name, seconds, *counts, self.note, self.code]


def steps(runs: "Sequence[Run]", note: Holds, code: Holds) -> list[Step]:
    """The steps of one trace, the runs directly below its root, with what was in each.

    Args:
        runs: all runs of the trace.
        note: finds the planted note in a text.
        code: finds the secret in a text.
    """
    ordered = sorted(runs, key=lambda run: run.dotted_order)
    root = ordered[0]
    found: list[Step] = []
    for run in (one for one in ordered if one.parent_run_id == root.id):
        inside = [one for one in ordered if one.dotted_order.startswith(run.dotted_order)]
        # A model's prompt is put together within the step, so it is looked for at every depth.
        heard = "\n".join(_texts([one.inputs for one in inside]))
        said = "\n".join(_texts(run.outputs))
        tools = [one.name for one in inside if one.run_type == "tool"]
        found.append(
            Step(
                number=len(found) + 1,
                name=": ".join([run.name, ", ".join(tools)]) if tools else run.name,
                seconds=run.latency or 0.0,
                read=run.prompt_tokens or 0,
                written=run.completion_tokens or 0,
                note=_words({"read": note(heard), "came in": note(said)}),
                code=_words({"read": code(heard), "went out": code(said)}),
            )
        )
    return found


def trace_with(client: "Client", project: str, text: str) -> "list[Run]":
    """The runs of those traces of a project in which a step returned a text."""
    from helpers.tracing.quiet import quiet

    with quiet():
        runs = list(client.list_runs(project_name=project))
    traces = {one.trace_id for one in runs if text in "\n".join(_texts(one.outputs))}
    return [one for one in runs if one.trace_id in traces]


def holding(runs: "Sequence[Run]", held: Holds) -> int:
    """How many of some runs read or returned what `held` finds."""
    return sum(held("\n".join(_texts([run.inputs, run.outputs]))) for run in runs)


def _texts(value: Any) -> Iterator[str]:
    """Every string in JSON-like data, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _words(what: Mapping[str, bool]) -> str:
    return ", ".join(word for word, true in what.items() if true) or "-"
