"""The rules and the dashboard ask for what the service counts; promtool takes and tests them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from dashboard import dashboard
from measure import ServiceFigures
from metrics import SECONDS, AgentFigures

HERE = Path(__file__).parents[1]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((HERE / "rules.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD = json.loads(dashboard())
PANELS = {
    panel["title"]: target["expr"] for panel in BOARD["panels"] for target in panel["targets"]
}
ENDINGS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
FUNCTIONS = {"histogram_quantile"}


def known() -> set[str]:
    """The names that an expression may have."""
    registry = CollectorRegistry()
    AgentFigures(registry)
    ServiceFigures(registry)
    counted = {one.name + end for one in registry.collect() for end in ENDINGS[one.type]}
    return counted | {rule["record"] for rule in RULES if "record" in rule}


@pytest.mark.parametrize("expression", [rule["expr"] for rule in RULES] + list(PANELS.values()))
def test_an_expression_asks_for_what_is_counted(expression: str) -> None:
    # Words with _ or : in them, outside of labels and their names.
    bare = re.sub(r"\{[^}]*\}|\b(?:by|on|without)\s*\([^)]*\)", "", expression)
    named = set(re.findall(r"\b[a-zA-Z]\w*[_:][\w:]*", bare)) - FUNCTIONS
    assert named
    assert named <= known()
    for bound in re.findall(r'le="([^"]+)"', expression):
        assert float(bound) in SECONDS


def test_the_dashboard_can_be_imported() -> None:
    assert BOARD["title"]
    assert len(PANELS) == len(BOARD["panels"])


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_nothing(words: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("There is no promtool: README.md says where it comes from.")
    done = subprocess.run([promtool, *words], cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
