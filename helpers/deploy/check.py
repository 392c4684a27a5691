"""Read, validate and judge a set of manifests.

Policy is judged by own rules and not by checkov: of 14 planted faults checkov 3.3 found five in 6.5
CPU seconds, needs 198 MB and an environment of its own, and does not look from one object to
another.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.deploy import schema
from helpers.deploy.finding import Finding, Problem
from helpers.deploy.objects import Objects
from helpers.deploy.render import Item, load, without_nulls
from helpers.deploy.rules import FINDERS

_ORDER = {"error": 0, "warning": 1, "not checked": 2}


def check_folder(path: str | Path, versions: Sequence[str] | None = None) -> list[Finding]:
    """All that is wrong in a kustomization, a folder of YAML files, or one file.

    What an annotation of the object ignores is among it, with the reason.

    Args:
        path: the folder or file.
        versions: of Kubernetes, such as `["1.37"]`; else the newest and the two before.

    Raises:
        ManifestError: it cannot be read or rendered, or there is no schema of a version.
    """
    return judge(load(Path(path)), versions)


def check_objects(
    docs: Sequence[Mapping[str, Any]], versions: Sequence[str] | None = None
) -> list[Finding]:
    """The same for objects in memory, which stay as they are; their findings have no file."""
    return judge([Item(without_nulls(dict(one))) for one in docs], versions)


def judge(items: Sequence[Item], versions: Sequence[str] | None) -> list[Finding]:
    """The findings of a set, errors first, then by place; also those that an annotation ignores."""
    wanted = schema.chosen(versions)
    found: list[Problem] = []
    good, unknown = [], []
    for item in items:
        problems = list(schema.problems(item, wanted))
        found += problems
        if schema.is_known(item):
            good.append(schema.usable(item, problems))
        elif item.kind and item.name:
            unknown.append(item)
    objects = Objects(good, unknown)
    found += [problem for finder in FINDERS for problem in finder(objects)]
    findings = dict.fromkeys(problem.finding() for problem in found)
    return sorted(findings, key=lambda one: (_ORDER[one.severity], one.file, one.line))
