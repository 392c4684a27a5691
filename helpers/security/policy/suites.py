"""AgentDojo's suites, loaded without the model clients that they do not need.

AgentDojo (Debenedetti et al. 2024, arXiv:2406.13352; MIT) is read at run time and never copied.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, get_args

import yaml

from helpers.security.policy.declarations import Tools
from helpers.security.policy.declared.banking import BANKING
from helpers.security.policy.declared.slack import SLACK
from helpers.security.policy.declared.travel import TRAVEL
from helpers.security.policy.declared.workspace import WORKSPACE as WORKSPACE_FIRST
from helpers.security.policy.declared.workspace_tuned import WORKSPACE

VERSION: Final = "v1.2.2"
SuiteName = Literal["banking", "slack", "workspace", "travel"]
SUITES: Final[tuple[SuiteName, ...]] = get_args(SuiteName)
TUNED: Final[tuple[SuiteName, ...]] = ("banking", "slack")
"""The suites that the policy's rules were tuned on; the others were measured afterwards."""

DECLARED: Final[Mapping[SuiteName, Tools]] = {
    "banking": BANKING,
    "slack": SLACK,
    "workspace": WORKSPACE,
    "travel": TRAVEL,
}
"""The declarations of each suite's tools, as they are today."""

FIRST: Final[Mapping[SuiteName, Tools]] = {**DECLARED, "workspace": WORKSPACE_FIRST}
"""The declarations with which each suite was measured first (banking and slack: tuned from the
start; travel: not changed since)."""

_CLIENTS = "agentdojo.agent_pipeline"


@cache
def load_suite(name: SuiteName) -> Any:
    """AgentDojo's `TaskSuite` of this name. Raises KeyError with the names that there are."""
    if name not in SUITES:
        raise KeyError(f"There is no suite {name!r}; choose one of {', '.join(SUITES)}.")
    with _without_model_clients():
        loader = importlib.import_module("agentdojo.task_suite.load_suites")
    return loader.get_suite(VERSION, name)


def agentdojo_runtime() -> ModuleType:
    """AgentDojo's module that runs tools."""
    return importlib.import_module("agentdojo.functions_runtime")


@contextmanager
def _without_model_clients() -> Iterator[None]:
    """Lets AgentDojo's pipelines be imported one by one.

    The package of the pipelines imports the clients of five providers, which is most of its four
    CPU seconds; the suites need a base class of it. Afterwards the package is as if never touched.
    """
    if _CLIENTS in sys.modules:
        yield
        return
    agentdojo = importlib.import_module("agentdojo")
    bare = ModuleType(_CLIENTS)
    bare.__path__ = [str(Path(path) / "agent_pipeline") for path in agentdojo.__path__]
    sys.modules[_CLIENTS] = bare
    try:
        yield
    finally:
        del sys.modules[_CLIENTS]
        vars(agentdojo).pop("agent_pipeline", None)


def new_environment(suite: Any, injections: Mapping[str, str]) -> Any:
    """A new environment of the suite, with these texts in the places that an attacker controls.

    The suite's own loader reads its YAML anew each time, and breaks on quotes in an injection; here
    it is read once and the texts are put into what was read.
    """
    places = _places(suite.name)
    filled = {mark: injections.get(place, default) for place, (mark, default) in places.items()}
    return suite.environment_type.model_validate(_put(_template(suite.name), filled))


def places(suite: Any) -> list[str]:
    """The names of the places that an attacker controls."""
    return list(_places(suite.name))


@cache
def _places(name: SuiteName) -> dict[str, tuple[str, str]]:
    defaults = load_suite(name).get_injection_vector_defaults()
    # The suite's loader puts them inside double quotes of YAML, where "\\t" is a tab.
    return {place: (f"<<{place}>>", yaml.safe_load(f'"{x}"')) for place, x in defaults.items()}


@cache
def _template(name: SuiteName) -> Any:
    reader = importlib.import_module("agentdojo.task_suite.task_suite")
    text = reader.read_suite_file(name, "environment.yaml", None)
    marks = {place: mark for place, (mark, _) in _places(name).items()}
    return yaml.safe_load(text.format(**marks))


def _put(value: Any, filled: Mapping[str, str]) -> Any:
    """A copy with the marks replaced; nothing of it is shared with the original."""
    if isinstance(value, dict):
        return {_put(key, filled): _put(inside, filled) for key, inside in value.items()}
    if isinstance(value, list):
        return [_put(inside, filled) for inside in value]
    if isinstance(value, str) and "<<" in value:
        for mark, text in filled.items():
            value = value.replace(mark, text)
    return value
