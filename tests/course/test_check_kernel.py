"""Checks in a real kernel: whatever the code does, the card shows and the notebook goes on."""

import contextlib
import json
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from helpers.course.card import MIME
from helpers.course.given import mark
from helpers.paths import ROOT

pytestmark = pytest.mark.slow


@dataclass
class Cell:
    """What one executed cell put into the notebook."""

    status: str = ""
    bundles: list[dict[str, Any]] = field(default_factory=list)
    streams: str = ""

    @property
    def card(self) -> dict[str, Any]:
        (bundle,) = self.bundles
        return bundle

    @property
    def check(self) -> str:
        return str(self.card[MIME]["status"])


class Kernel:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str) -> Cell:
        cell = Cell()

        def collect(message: dict[str, Any]) -> None:
            kind, content = message["header"]["msg_type"], message["content"]
            if kind in ("display_data", "execute_result"):
                cell.bundles.append(content["data"])
            elif kind == "stream":
                cell.streams += content["text"]

        reply = self.client.execute_interactive(
            code, timeout=60, output_hook=collect, stop_on_error=False
        )
        cell.status = reply["content"]["status"]
        return cell


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with started(tmp_path_factory.mktemp("home")) as running:
        yield running


@contextlib.contextmanager
def started(home: Path) -> Iterator[Kernel]:
    """A kernel with the desk, and a learner's home of its own."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("COURSE_HOME", str(home))
    monkeypatch.setenv("COURSE_TIME_FACTOR", "0.2")  # the exercises' 10 s are two seconds
    manager, client = start_new_kernel(cwd=str(ROOT))
    monkeypatch.undo()
    running = Kernel(manager, client)
    assert (
        running.run("from helpers.course import TODO, check, hint, ready, run_async").bundles == []
    )
    try:
        yield running
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_solved_exercise_shows_one_card_in_three_forms(kernel: Kernel) -> None:
    cell = kernel.run("check('00.1', 0.000138)")
    assert (cell.status, cell.check) == ("ok", "passed")
    assert set(cell.card) == {"text/plain", "text/html", MIME}
    assert cell.card["text/plain"].startswith("[+] Exercise 00.1, What one answer costs: passed")
    assert cell.streams == ""


def test_an_unfinished_function_is_located_in_its_cell(kernel: Kernel) -> None:
    kernel.run("def tokens_per_second(usage, seconds):\n    # divide\n    return TODO")
    cell = kernel.run("check('00.2', tokens_per_second)")
    assert cell.check == "not done yet"
    assert "TODO is still in tokens_per_second, line 3 of its cell." in cell.card["text/plain"]


def test_an_error_shows_the_lines_of_the_cell(kernel: Kernel) -> None:
    kernel.run("def f(usage, seconds):\n    speed = usage['tokens'] / seconds\n    return speed")
    text = kernel.run("check('00.2', f)").card["text/plain"]
    assert "Got       KeyError: 'tokens'" in text
    assert "Where     line 2, in f: speed = usage['tokens'] / seconds" in text
    assert "ipykernel" not in text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise SystemExit('stop')", "SystemExit: stop"),
        ("exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("while True: pass", "it was stopped after 2 s"),
        ("import time; time.sleep(60)", "it was stopped after 2 s"),
        ("return run_async(__import__('asyncio').sleep(60))", "it was stopped after 2 s"),
        ("print('a' * 10**7)", "and 9998001 more characters"),
        ("input('name? ')", "A check cannot answer input()"),
        ("return type('Odd', (), {'__repr__': lambda self: 1 / 0})()", "repr() raises"),
        ("return '<script>alert(1)</script>'", "<script>alert(1)</script>"),
        ("return '\\ud800'", "\\ud800"),
        ("return f(usage, seconds)", "RecursionError"),
    ],
)
def test_the_notebook_goes_on_after(kernel: Kernel, body: str, words: str) -> None:
    kernel.run(f"def f(usage, seconds):\n    {body}")
    cell = kernel.run("check('00.2', f)")
    assert (cell.status, cell.check) == ("ok", "wrong")
    assert words in cell.card["text/plain"]
    assert "<script" not in cell.card["text/html"]
    after = kernel.run("print('goes on')")
    assert (after.status, after.streams) == ("ok", "goes on\n")


@pytest.mark.parametrize("first", ["", "import asyncio; await asyncio.sleep(0); "])
@pytest.mark.parametrize("wait", ["time.sleep(60)", "run_async(asyncio.sleep(60))"])
def test_the_stop_button_stops_a_check_politely(
    kernel: Kernel, first: str, wait: str, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    kernel.run(
        "import asyncio, os, pathlib, time\n"
        "os.environ['COURSE_TIME_FACTOR'] = '5'\n"
        "def f(usage, seconds):\n"
        f"    pathlib.Path({str(started)!r}).touch()\n"
        f"    {wait}"
    )

    def press() -> None:
        while not started.exists():
            time.sleep(0.05)
        time.sleep(0.2)
        kernel.manager.interrupt_kernel()

    button = threading.Thread(target=press, daemon=True)
    button.start()
    cell = kernel.run(f"{first}check('00.2', f)")
    button.join()
    assert cell.status == "ok"
    assert cell.card["text/plain"] == (
        "The check of exercise 00.2 was stopped.\nNothing was recorded."
    )
    assert MIME not in cell.card
    kernel.run("os.environ['COURSE_TIME_FACTOR'] = '0.2'")


def test_async_objects_of_earlier_cells_work_in_later_ones(kernel: Kernel) -> None:
    kernel.run(
        "import asyncio, os\n"
        "os.environ['COURSE_TIME_FACTOR'] = '5'\n"
        "async def make():\n"
        "    lock = asyncio.Lock()\n"
        "    await lock.acquire()\n"
        "    asyncio.get_running_loop().call_later(0.2, lock.release)\n"
        "    await asyncio.wait_for(lock.acquire(), 2)\n"
        "    lock.release()\n"
        "    return lock\n"
        "lock = run_async(make())"
    )
    kernel.run(
        "async def f(usage, seconds):\n"
        "    async with lock:\n"
        "        if seconds <= 0: raise ValueError('seconds must be more than 0')\n"
        "        return usage['output_tokens'] / seconds"
    )
    assert kernel.run("check('00.2', f)").check == "passed"
    kernel.run("os.environ['COURSE_TIME_FACTOR'] = '0.2'")


def test_a_cell_that_needs_an_exercise_says_so_and_the_notebook_runs_on(kernel: Kernel) -> None:
    cell = kernel.run("x = 1 if ready('00.7') else TODO\nx")
    assert cell.status == "ok"
    assert cell.streams == "This cell needs exercise 00.7. Run its check first.\n"
    assert cell.card["text/plain"] == "TODO"
    assert kernel.run("check('00.1', x)").check == "not done yet"


def test_a_hint_is_shown_and_is_no_result(kernel: Kernel) -> None:
    cell = kernel.run("hint('00.1')")
    assert "Hint 1 of 3" in cell.card["text/plain"]
    assert MIME not in cell.card


GIVEN = mark("00.2")
SOLVED = next(
    "".join(cell["source"])
    for cell in json.loads((ROOT / "solutions" / "00_start_here.ipynb").read_text())["cells"]
    if cell["metadata"].get("exercise") == "00.2"
)


def test_a_given_solution_counts_as_given_until_the_learners_own_code_runs() -> None:
    """Whatever became of the lab's file meanwhile: the kernel knows which cells it ran."""
    with tempfile.TemporaryDirectory() as home, started(Path(home)) as running:
        name = re.search(r"def (\w+)", SOLVED)
        assert name
        status = (
            "from helpers.course import progress\n"
            "[one.status for one in progress.report()['00'].checks]"
        )
        running.run(GIVEN + SOLVED)
        card = running.run(f"check('00.2', {name[1]})")
        assert card.check == "passed"
        assert "This is the course's solution" in card.card["text/plain"]
        assert running.run(status).card["text/plain"] == "['given']"
        running.run(SOLVED)
        card = running.run(f"check('00.2', {name[1]})")
        assert "This is the course's solution" not in card.card["text/plain"]
        assert running.run(status).card["text/plain"] == "['passed']"


def test_a_busy_machine_is_named_where_time_ran_out(kernel: Kernel) -> None:
    kernel.run("import psutil; psutil.getloadavg = lambda: (99.0, 9.0, 9.0)")
    kernel.run("def f(usage, seconds):\n    while True: pass")
    assert "This machine is busy: 99 processes" in kernel.run("check('00.2', f)").card["text/plain"]
    kernel.run("psutil.getloadavg = lambda: (0.0, 0.0, 0.0)")
    assert "is busy" not in kernel.run("check('00.2', f)").card["text/plain"]
