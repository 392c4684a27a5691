"""`course drill`: a shift with an incident that is not named, at a prompt.

What a subcommand does not need is not imported.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from helpers import outfile
from helpers.columns import aligned

if TYPE_CHECKING:
    from helpers.operate.testing.console import Console
    from helpers.operate.testing.drill import Drilled

COMMAND: Final = "course drill"
LAPSE: Final = 20.0
_SHIFT: Final = 240.0
_LOOK_S: Final = 1.0
_SHOWN: Final = 12
_TYPED: Final = 0  # the descriptor of what is typed
_WIDTH: Final = 70
HELP: Final = """\
To look:
  status            alerts, and figures of the last 10 minutes
  answers [N]       the last answers (12), with document, problem and foreign addresses
  customers         how often each customer asked in the last 10 minutes
  log               releases and edits so far
  query PROMQL      ask the drill's Prometheus
To act:
  notice [WHY]      say that something is wrong: this minute counts as "noticed"
  diagnose KIND     model down, bad release, cost spike, poisoned document
  switch-model      another host's model, at 2.7 times the price
  rollback          go back to the release before
  limit CUSTOMER    refuse this customer's requests
  withdraw DOCUMENT no answer uses this document any more
Else:
  help              this list
  quit              leave the shift; it also ends when the service is well again, or time is over
"""


class Unreadable(ValueError):  # noqa: N818 - named after what is the matter
    """A line at the prompt is no command; the message says what is."""


def drill(argv: Sequence[str]) -> int:
    """Run a drill; 0 when it was played to its end, 1 when the operator left, 2 when it cannot.

    Who leaves, by `quit`, by Ctrl-C or because the input has ended, gets the form all the same.
    """
    options = _options(argv)
    from helpers.faults import EquipmentError
    from helpers.operate.testing.drill import run_drill
    from helpers.operate.testing.drill_plan import draw
    from helpers.operate.testing.runbook import row

    seed = secrets.randbelow(10_000) + 1000 if options.seed is None else options.seed
    prompt = Prompt(options.lapse, lines_of(_TYPED))

    def stop(number: int, frame: object) -> None:
        if not prompt.leave():
            raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        plan = draw(seed, minutes=options.shift)
        _can_write(options.report)
        print("The service starts, and a Prometheus that watches it ...", flush=True)
        found = run_drill(prompt.operator, plan, lapse=options.lapse)
        from helpers.operate.drill_form import keep

        events = [
            (one.minute, plan.clock(one.minute), one.what, one.detail) for one in found.events
        ]
        figures = row(found)
        written = keep(figures, plan.truth, events)
        if options.report:
            outfile.save(options.report, (json.dumps(figures, indent=1) + "\n").encode())
        print(
            "\n".join(["", *told(found), "", f"Runbook and review are waiting for you: {written}"])
        )
    except KeyboardInterrupt:
        print("\nStopped. Nothing is written.", flush=True)
        return 1
    except (EquipmentError, outfile.OutError, ValueError, OSError) as problem:
        print(f"{COMMAND}: {problem}", file=sys.stderr)
        return 2
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    return 1 if prompt.left and found.ended is None else 0


def _can_write(report: Path | None) -> None:
    """Raises OSError or OutError before the shift, where the figures cannot be kept after it."""
    from helpers.operate.drill_form import folder

    folder()
    if report is not None:
        outfile.check(report)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="You are on duty. The service runs with the day's customers, faster than the "
        "shop. After a quiet time one of four incidents happens: the model is down, a release is "
        "bad, cost rises, or a document is poisoned. Find out which, and end it. A shift takes "
        f"{_SHIFT / LAPSE:g} minutes; most drills take half of that. Needs Prometheus.",
        epilog="The drill's figures and a form for runbook and review go to .course/drills.",
    )
    parser.add_argument("--seed", type=int, help="repeat the drill that has this seed")
    parser.add_argument(
        "--lapse",
        type=_lapse,
        default=LAPSE,
        help=f"minutes of the shop that pass in a minute of yours, 1 to 240 ({LAPSE:g})",
    )
    parser.add_argument(
        "--shift",
        type=float,
        default=_SHIFT,
        metavar="MINUTES",
        help=f"length of the shift in the shop's minutes, 90 to 600 ({_SHIFT:g})",
    )
    parser.add_argument(
        "--report",
        type=outfile.named(".json"),
        metavar="FILE",
        help="also write the times as JSON, into a new file",
    )
    return parser.parse_args(argv)


def _lapse(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: give 1 to 240.") from None
    if not 1 <= value <= 240:
        raise argparse.ArgumentTypeError("give 1 to 240: Prometheus cannot follow a faster shop.")
    return value


def lines_of(file: int) -> Iterator[str]:
    """The lines of an open file, by its own reads.

    `sys.stdin` is not read: a thread that waits in it when Python ends makes it crash.
    """
    rest = b""
    while chunk := os.read(file, 4096):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")


class Prompt:
    """The operator's terminal.

    Attributes:
        left: whether the operator has left before the end.
    """

    def __init__(self, lapse: float, lines: Iterable[str]) -> None:
        """`lines` are read in a thread of their own, so that pages appear meanwhile."""
        self.left = False
        self._lapse, self._lines = lapse, lines
        self._known: set[tuple[str, str]] = set()
        self._leave: Callable[[], object] | None = None  # while the operator is at the prompt

    def leave(self) -> bool:
        """End the shift from another thread; False when the operator is not on duty."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
        return leave is not None

    async def operator(self, console: "Console") -> None:
        """Print pages as they come, and do what the lines say, until it is over."""
        typed: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in self._lines:
                loop.call_soon_threadsafe(typed.put_nowait, line)
            loop.call_soon_threadsafe(typed.put_nowait, None)

        self._leave = partial(loop.call_soon_threadsafe, typed.put_nowait, "quit")
        threading.Thread(target=read, name="prompt", daemon=True).start()
        print(f"Prometheus  {console.prometheus}\n\n{HELP}", flush=True)
        self._ask(console)
        while console.left > 0 and not any(one.what == "ended" for one in console.events):
            try:
                async with asyncio.timeout(_LOOK_S * self._lapse):
                    line = await typed.get()
            except TimeoutError:
                self._page(console)
                continue
            if line is None or line.strip() in ("quit", "exit"):
                if line is None:
                    print("\nThe input has ended: type commands at a terminal, or pipe them in.")
                self.left, self._leave = True, None
                console.leave()
                print("\nYou leave the shift. The figures are collected ...", flush=True)
                return
            self._do(console, line)
            self._ask(console)

    def _ask(self, console: "Console") -> None:
        print(f"{console.clock}> ", end="", flush=True)

    def _page(self, console: "Console") -> None:
        now = {(one.alert, one.severity): one.summary for one in console.pages()}
        for key, summary in now.items():
            if key not in self._known:
                print(f"\n  ** {key[1].upper()} {key[0]}: {summary}")
                self._ask(console)
        for key in self._known - now.keys():
            print(f"\n  ** over: {key[0]}")
            self._ask(console)
        self._known = set(now)

    def _do(self, console: "Console", line: str) -> None:
        from helpers.testbed.errors import TestbedError

        try:
            for each in answer(console, line):
                print(each)
        except (ValueError, TestbedError) as problem:
            print(f"  {problem}")
        sys.stdout.flush()


def answer(console: "Console", line: str) -> list[str]:
    """Do what a line says; the lines to print.

    Raises:
        Unreadable: it is no command.
        DrillError: what it names does not exist.
        QueryRefused: Prometheus does not take the query.
    """
    name, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if not name:
        return []
    if name == "help":
        return [HELP]
    looks: dict[str, Callable[[Console, str], list[str]]] = {
        "status": _status,
        "answers": _answers,
        "customers": _customers,
        "log": _log,
        "query": _query,
    }
    if name in looks:
        return looks[name](console, rest)
    if name == "notice":
        console.notice(rest)
        return ["  Noted."]
    if name == "diagnose":
        console.diagnose(rest)
        return ["  Noted. At the end you learn whether it is right."]
    if name in ("switch-model", "rollback", "limit", "withdraw"):
        console.act(name, rest)
        return ["  Started: it takes effect in a minute or two of the shop."]
    raise Unreadable(f"There is no command {name!r}: type help.")


def _status(console: "Console", rest: str) -> list[str]:
    fired = [f"  {one.severity:6} {one.alert}: {one.summary}" for one in console.pages()]
    figures = [f"  {name:15} {value:.6g}" for name, value in console.figures().items()]
    return [*(fired or ["  No alert fires."]), *figures]


def _answers(console: "Console", rest: str) -> list[str]:
    if rest and not (rest.isdigit() and int(rest) > 0):
        raise Unreadable(f"answers {rest}: give a number of answers, such as answers 20.")
    many = int(rest or _SHOWN)
    rows = [("time", "customer", "document", "problem", "question", "answer")]
    for one in console.answers(600)[-many:]:
        problem = one["failed"] or ", ".join(one["addresses"])
        if one["canary"]:
            problem = f"canary {one['canary']} {problem}".strip()
        words = one["question"][:40], one["answer"][:_WIDTH]
        time = console.at(one["minute"])
        rows.append((time, one["customer"], one["document"], problem, *words))
    return [f"  {line}" for line in aligned(rows)]


def _customers(console: "Console", rest: str) -> list[str]:
    from collections import Counter

    counted = Counter(one["customer"] or "(not logged in)" for one in console.answers(10))
    return [f"  {times:4} {customer}" for customer, times in counted.most_common(8)]


def _log(console: "Console", rest: str) -> list[str]:
    rows = [("time", "change", "of")]
    rows += [(console.at(one.minute), one.what, one.about) for one in console.changes()]
    return [f"  {line}" for line in aligned(rows)]


def _query(console: "Console", rest: str) -> list[str]:
    from datetime import UTC, datetime

    from helpers.testbed.prometheus import Prometheus

    if not rest:
        raise Unreadable("Give a query, such as: query sum(service_answers_total)")
    server = Prometheus(console.prometheus)
    try:
        found = server.at(rest, datetime.now(UTC))
    finally:
        server.close()
    lines = [f"  {dict(one.labels)} {next(iter(one.values.values())):.6g}" for one in found]
    return lines or ["  The query found no series."]


def told(found: "Drilled") -> list[str]:
    """What came of a drill: the truth, its times beside those of the course's script."""
    from statistics import median

    from helpers.operate.testing.runbook import row, stored

    own: dict[str, Any] = row(found)
    same = [one for one in stored() if one["kind"] == own["kind"]]
    rows = [("minutes of the shop until", "you", "the course's script")]
    for name in ("noticed", "diagnosed", "ended"):
        theirs = [one[name] for one in same if one[name] is not None]
        middle = f"{median(theirs):.1f}" if theirs else "never"
        rows.append((name, "never" if own[name] is None else f"{own[name]:.1f}", middle))
    rows.append(("answers harmed", str(own["harmed"]), f"{median(o['harmed'] for o in same):g}"))
    wrong = [*found.wrong_diagnoses, *found.wrong_actions]
    return [
        found.plan.truth,
        "",
        *aligned(rows),
        "",
        f"Wrong: {', '.join(wrong) or 'nothing'}.",
        "The script follows a runbook and reads as fast as a machine: a person is slower.",
    ]


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"drill": drill}
