"""Imports go one way: which room may enter which (the design's "The package")."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.paths import ROOT

PACKAGE = ROOT / "helpers"

_BELOW_EVALUATE = {"models", "shop", "agent"}
MAY_ENTER: dict[str, set[str]] = {
    "models": set(),
    "shop": set(),
    "agent": {"models", "shop"},
    "evaluate": _BELOW_EVALUATE,
    "security": {"evaluate", *_BELOW_EVALUATE},
    "monitor": {"evaluate", *_BELOW_EVALUATE},
    "cost": {"evaluate", *_BELOW_EVALUATE},
    "operate": {"evaluate", *_BELOW_EVALUATE},
    "service": {"evaluate", *_BELOW_EVALUATE},
    "tracing": {"evaluate", *_BELOW_EVALUATE},
    "deploy": {"evaluate", "testbed", *_BELOW_EVALUATE},
    "scale": {"service", "evaluate", *_BELOW_EVALUATE},
    "demo": {"security", "tracing", "evaluate", *_BELOW_EVALUATE},
    # What must import a room of modules 03 to 11 stays in that room, in its `testing`, which may
    # enter the testbed.
    "testbed": _BELOW_EVALUATE,
    "course": set(),
    "authoring": {"course"},
    "workshop": {"course", "review", "evaluate"},
    "review": {"course", "evaluate", *_BELOW_EVALUATE},
    "launcher": {"cli"},  # hands over to the command once the environment is there
}
# Modules beside the rooms: those that may enter any room, and those that any room may enter.
MAY_ENTER_ALL = {"cli", "doctor", "__main__"}
# Commands and their parts that join a room with others, by what they may enter beyond their room.
JOINS = {
    "cost/command_serve.py": {"service"},
    "monitor/command_incidents.py": {"service", "testbed"},
    "monitor/live.py": {"testbed"},
    "operate/command_drill.py": {"service", "monitor", "testbed"},
    "operate/testing/drill.py": {"service", "monitor"},
    # The launcher's pip, its settings and its sentences; the Pythons that the course runs on.
    "workshop/bundle/wheels.py": {"launcher"},
    "workshop/bundle/targets.py": {"__main__"},
}
OPEN_TO_ALL = {
    *("anonymous", "columns", "faults", "loading", "machine_report", "outfile", "pages"),
    *("paths", "programs", "sockets"),
}


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """The rooms or top-level modules of `helpers` that a file imports, wherever in it.

    `package` is the dotted package that the file is in, which relative imports start from.
    """
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*base, node.module or ""]) if node.level else node.module or ""
            names = [f"{module.rstrip('.')}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
        for name in names:
            first, *rest = name.split(".")
            if first == "helpers" and rest:
                yield rest[0]


def violations(path: Path, text: str) -> list[str]:
    """What a file of the package imports although its room may not, as sentences.

    Args:
        path: below `helpers/`, such as `agent/tools.py`.
    """
    room = path.parts[0].removesuffix(".py")
    if room in MAY_ENTER_ALL:
        return []
    allowed = {room, *OPEN_TO_ALL, *MAY_ENTER.get(room, set()), *JOINS.get(path.as_posix(), ())}
    if path.parts[1:2] in {("testing.py",), ("testing",)}:
        allowed.add("testbed")
    if path.parts[:2] == ("course", "exercises") and path.parts[2][:1] == "m":
        return []  # an exercise may use the rooms that its module is about
    package = ".".join(["helpers", *path.parts[:-1]])
    found = dict.fromkeys(imported(ast.parse(text), package))
    return [f"{path.as_posix()} imports helpers.{name}" for name in found if name not in allowed]


@pytest.mark.parametrize(
    ("path", "text", "breaks"),
    [
        ("agent/tools.py", "from helpers.shop import Order", False),
        ("agent/tools.py", "import helpers.models.local", False),
        ("agent/tools.py", "from helpers.paths import ROOT", False),
        ("agent/tools.py", "from helpers import shop, paths", False),
        ("agent/tools.py", "from . import prompt", False),
        ("agent/tools.py", "import helpersome.course", False),
        ("agent/tools.py", "from helpers.course import check", True),
        ("agent/tools.py", "from helpers import models, evaluate", True),
        ("agent/tools.py", "from ..evaluate import score", True),
        ("agent/deep/tools.py", "from ...evaluate import score", True),
        ("shop/orders.py", "def f():\n    import helpers.agent", True),
        ("models/door.py", "importlib.import_module('helpers.shop')", True),
        ("tracing/app.py", "from helpers.service import app", True),
        ("monitor/command_incidents.py", "from helpers.service.testing import replay", False),
        ("monitor/command_incidents.py", "from helpers.tracing import app", True),
        ("monitor/answers.py", "from helpers.service.testing import replay", True),
        ("service/app.py", "from helpers.testbed import Clock", True),
        ("service/testing/day.py", "from helpers.testbed import Clock", False),
        ("service/testing/day.py", "from helpers.tracing import Span", True),
        ("course/check.py", "from helpers.agent import build_agent", True),
        ("course/exercises/m02/e1_acceptable.py", "from helpers.agent import build_agent", False),
        ("course/exercises/define.py", "from helpers.agent import build_agent", True),
        ("course/exercises/m05/e1_events.py", "from helpers.testbed import serving", False),
        ("testbed/models.py", "from helpers.agent import build_agent", False),
        ("testbed/models.py", "from helpers.evaluate import score", True),
        ("testbed/processes.py", "from helpers.service import create_app", True),
        ("testbed/serving.py", "from helpers.course import run_async", True),
        ("paths.py", "from helpers.shop import TODAY", True),
        ("cli.py", "from helpers.shop import TODAY", False),
    ],
)
def test_the_rule_itself(path: str, text: str, breaks: bool) -> None:
    assert bool(violations(Path(path), text)) is breaks


def test_imports_go_one_way() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert files
    found = [
        line
        for path in files
        for line in violations(path.relative_to(PACKAGE), path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


def test_every_room_has_its_place_in_the_table() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert rooms <= set(MAY_ENTER), "say in MAY_ENTER which rooms a new one may enter"
