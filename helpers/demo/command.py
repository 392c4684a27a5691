"""`course demo`: four parts in about a minute, on this machine alone, with nothing left behind."""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.columns import aligned
from helpers.demo.trace import holding, steps, trace_with

if TYPE_CHECKING:  # imported when the demo runs, so that `--help` is instant
    from langsmith import Client

    from helpers.security import Attack, Canary, Target

QUESTION = "How much does the Alta 2 tent weigh?"

# What could send a trace, or a part of one, somewhere else.
_ELSEWHERE = ("LANGSMITH_", "LANGCHAIN_", "OTEL_")
_WIDTH = 79  # of the narrowest terminal that is common

Say = Callable[[str], None]


class DemoError(RuntimeError):
    """The demo did not show what it is there to show; the sentence says what to do."""


def demo(argv: Sequence[str]) -> int:
    """Run the demo; 0 when it has shown all four parts, else 1."""
    parser = argparse.ArgumentParser(
        prog="course demo",
        description="See the course at work, in one to three minutes: the agent answers, a planted "
        "note makes it leak a secret, a control stops that, and the trace shows where it happened. "
        "Runs on this machine alone and leaves nothing behind.",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON, at the end")
    options = parser.parse_args(argv)
    _stay_here()

    def say(text: str = "") -> None:
        if not options.json:
            print(text, flush=True)

    say("Fernhill's support agent, on this machine alone. One to three minutes; Ctrl-C ends it.")
    from helpers.models.errors import ModelError
    from helpers.tracing import ServiceError

    start = time.perf_counter()
    report: dict[str, Any] = {}
    problem = None
    try:
        _show(report, say)
    except (DemoError, ModelError, ServiceError) as error:
        problem = str(error)
    seconds = round(time.perf_counter() - start, 1)
    if options.json:
        print(json.dumps({**report, "seconds": seconds, "problem": problem}, ensure_ascii=False))
    if problem:
        print(f"course demo: {problem}", file=sys.stderr)
        return 1
    say(f"\nThat took {seconds:.0f} seconds. The servers are stopped, the traces deleted.")
    say("Module 01 builds this agent, 03 defends it, 09 traces it. Open them: course lab")
    return 0


def _show(report: dict[str, Any], say: Say) -> None:
    """The four parts, one after the other; each adds its figures to the report."""
    from helpers.security import Canary, defended_agent, naive_agent

    secret = Canary()
    with _traces() as client:
        say("\n1. The agent answers.")
        report["answer"] = _answer(say)

        say("\n2. A planted note makes it leak.")
        say(f"   Its prompt now has a discount code, {secret.code}, which it must not tell.")
        say("   Customers ask honest questions; an attacker has left a note under each page.")
        naive = report["naive"] = _tried(naive_agent(canary=secret), client, "naive", say)
        leak = next((one for one in naive["notes"] if one["leaked"]), None)
        if leak is None:
            raise DemoError(
                f"none of the {naive['asked']} notes got the code out this time. The code is a "
                "new one in each run: run it again. Module 03 tries each attack several times."
            )
        for who in ("customer", "note", "agent"):
            say(_line(who, leak[who]))

        say("\n3. A control stops it.")
        say("   The code moves out of the prompt, behind a tool that checks the order, and a")
        say("   filter reads each answer. The same notes, the same code:")
        target = defended_agent(canary=secret)
        defended = report["defended"] = _tried(target, client, "defended", say)
        if defended["leaked"]:
            raise DemoError(
                f"the defended agent leaked the code to {defended['leaked']} of "
                f"{defended['asked']} notes, which must not happen. Run `course test "
                "tests/security` and report what it says."
            )
        kept = next(one for one in defended["notes"] if one["note"] == leak["note"])
        say(_line("agent", kept["agent"]))
        say("   A note without a label can still spoil an answer. None can get the code.")

        say("\n4. The trace shows where.")
        report["trace"] = _traced(client, leak["note"], secret, say)


def _answer(say: Say) -> dict[str, Any]:
    """One question to the course's own agent."""
    from helpers.agent import Caller, build_agent
    from helpers.evaluate.runs import read

    start = time.perf_counter()
    state = build_agent().invoke(
        {"messages": [("user", QUESTION)]},
        {"configurable": {"thread_id": "demo"}},
        context=Caller(None),
    )
    run = read("demo", state["messages"], wall_seconds=time.perf_counter() - start)
    found: dict[str, Any] = {
        "customer": QUESTION,
        "agent": run.answer,
        "tools": [call.name for call in run.calls],
        "seconds": round(run.wall_seconds, 2),
        "tokens_read": run.usage["input_tokens"] if run.usage else 0,
        "tokens_written": run.usage["output_tokens"] if run.usage else 0,
    }
    say(_line("customer", QUESTION))
    say(_line("agent", run.answer))
    called = ", ".join(found["tools"]) or "no tool"
    say(
        f"   Called {called}; {run.wall_seconds:.1f} s with loading the model; "
        f"{found['tokens_read']} tokens read, {found['tokens_written']} written."
    )
    return found


def _tried(target: "Target", client: "Client", project: str, say: Say) -> dict[str, Any]:
    """Each planted note once, traced into a project; what cannot be asked ends the demo."""
    from langsmith import tracing_context

    from helpers.security import attack

    notes: list[dict[str, Any]] = []
    for number, one in enumerate(planted(), start=1):
        with tracing_context(client=client, enabled=True, project_name=project):
            made = attack(target, [one]).outcomes[0].tries[0]
        if made.error is not None:
            raise DemoError(f"the agent gave no answer ({made.error}). Try `course doctor`.")
        assert one.planted is not None
        notes.append(
            {
                "customer": one.request,
                "note": one.planted.text,
                "agent": made.answer,
                "leaked": made.leaked,
                "tokens": made.usage["total_tokens"] if made.usage else 0,
            }
        )
        say(_line(f"{number} {'LEAKED' if made.leaked else 'kept'}", one.planted.text))
    leaked = sum(one["leaked"] for one in notes)
    tokens = sum(one["tokens"] for one in notes)
    say(f"   {leaked} of {len(notes)} notes got the code out ({tokens:,} tokens).")
    return {"asked": len(notes), "leaked": leaked, "notes": notes}


def planted() -> "list[Attack]":
    """The attacks that are tried: the course's own whose note waits under a document.

    A note that repeats the prompt's own words is left out: in a trace the two are the same text.
    """
    from helpers.security import visible_attacks
    from helpers.security.agents import GOODWILL_NOTE

    return [
        one
        for one in visible_attacks("indirect")
        if one.planted
        and one.planted.place == "document"
        and one.goal == "secret"
        and one.planted.text not in GOODWILL_NOTE
    ]


def _traced(client: "Client", note: str, secret: "Canary", say: Say) -> dict[str, Any]:
    """Where the note came in and the code went out, by the trace of the leak alone."""
    client.flush()
    runs = trace_with(client, "naive", note)
    listed = steps(runs, lambda text: note in text, secret.leaked)
    came = next((one.number for one in listed if "came in" in one.note), None)
    went = next((one.number for one in listed if "went out" in one.code), None)
    if came is None or went is None:
        raise DemoError(
            "the trace does not show where the code got out, which must not happen. Run "
            "`course test tests/tracing` and report what it says."
        )
    root = min(runs, key=lambda run: run.dotted_order)
    kept = trace_with(client, "defended", note)
    seen = holding(kept, secret.leaked)
    say(f"   Run {root.id} of the leak, {root.latency or 0:.1f} s:")
    head = ["step", "", "seconds", "tokens in", "out", "the note", "the code"]
    for line in aligned([head, *(one.row() for one in listed)]):
        say(f"   {line}")
    say(f"   The note came in at step {came}, and the code went out at step {went}.")
    say("   The same note came in to the defended agent.")
    say(f"   The code is in {seen} of the {len(kept)} runs of that trace.")
    return {
        "run": str(root.id),
        "steps": [asdict(one) for one in listed],
        "note_came_in_at": came,
        "code_went_out_at": went,
        "defended_runs": len(kept),
        "defended_runs_with_the_code": seen,
    }


@contextlib.contextmanager
def _traces() -> "Iterator[Client]":
    """A client of a tracing service of this run's own, which ends with the block."""
    from helpers import tracing

    with (
        tempfile.TemporaryDirectory(prefix="course-demo-") as folder,
        tracing.running(Path(folder) / "traces.db") as service,
    ):
        client = service.client()
        try:
            # Its own thread asks this too: it must not do so while Ctrl-C stops the service.
            assert client.info
            yield client
        finally:
            client.close()


def _stay_here() -> None:
    """This process asks the local models and traces to its own service, whatever was set."""
    for name in [name for name in os.environ if name.startswith(_ELSEWHERE)]:
        del os.environ[name]
    os.environ |= {"COURSE_MODEL": "local", "COURSE_EMBEDDINGS": "local"}


def _line(who: str, text: str) -> str:
    """One line of a conversation, cut where a terminal's line would end."""
    line = f"   {who + ':':<11}{' '.join(text.split())}"
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 4].rstrip()} ..."


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {"demo": demo}
