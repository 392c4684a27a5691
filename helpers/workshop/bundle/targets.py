"""What a bundle is for: a platform with a Python, the entries of the lock, the wheels that fit."""

import platform
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from helpers.__main__ import NEWEST, OLDEST

PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]


def _manylinux(machine: str) -> tuple[str, ...]:
    """The tags of README's Linux (glibc 2.28), newest first; pip does not add the older ones."""
    named = {17: "2014", 12: "2010", 5: "1"}
    found = []
    for minor in range(28, 4, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in named:
            found.append(f"manylinux{named[minor]}_{machine}")
    return (*found, f"linux_{machine}")


@dataclass(frozen=True)
class Platform:
    """How markers and the names of wheels describe a platform."""

    sys_platform: str
    platform_system: str
    os_name: str
    machine: str
    tags: tuple[str, ...]


# README's "Platforms": those that have every package.
PLATFORMS: dict[str, Platform] = {
    "linux-x86_64": Platform("linux", "Linux", "posix", "x86_64", _manylinux("x86_64")),
    "linux-aarch64": Platform("linux", "Linux", "posix", "aarch64", _manylinux("aarch64")),
    "macos-arm64": Platform(
        "darwin", "Darwin", "posix", "arm64", tuple(mac_platforms((13, 0), "arm64"))
    ),
    "windows-x86_64": Platform("win32", "Windows", "nt", "AMD64", ("win_amd64",)),
}


def here() -> str | None:
    """The name of this machine's platform in `PLATFORMS`; None where it has none."""
    for name, found in PLATFORMS.items():
        if (found.platform_system, found.machine) == (platform.system(), platform.machine()):
            return name
    return None


def this_python() -> str:
    """Such as "3.12"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True)
class Entry:
    """One entry of a lock.

    Attributes:
        requirement: with version and marker.
        hashes: SHA-256 of each file that the lock allows, in hexadecimal digits.
    """

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """The package's canonical name."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version."""
        return str(self.requirement.specifier).removeprefix("==")

    def line(self) -> str:
        """The entry for a requirements file, without its marker."""
        digests = "".join(f" --hash=sha256:{digest}" for digest in sorted(self.hashes))
        return f"{self.name}=={self.version}{digests}\n"


def read_lock(text: str) -> list[Entry]:
    """The entries of a lock.

    Raises:
        ValueError: a line is not a requirement.
    """
    joined = re.sub(r"\\\r?\n", " ", text)
    found = []
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement, *hashes = re.split(r"\s--hash=sha256:", line)
            digests = frozenset(digest.strip() for digest in hashes)
            found.append(Entry(Requirement(requirement.strip()), digests))
    return found


@dataclass(frozen=True)
class Target:
    """A platform of `PLATFORMS` with a Python such as "3.12"."""

    platform: str
    python: str

    def __str__(self) -> str:
        return f"{self.platform} with Python {self.python}"

    @property
    def _minor(self) -> tuple[int, int]:
        major, minor = map(int, self.python.split("."))
        return major, minor

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """The tags of wheels that fit."""
        names, short = PLATFORMS[self.platform].tags, f"cp{self.python.replace('.', '')}"
        return frozenset(
            [
                *cpython_tags(self._minor, abis=[short], platforms=names),
                *compatible_tags(self._minor, interpreter=short, platforms=names),
            ]
        )

    def wanted(self, lock: Sequence[Entry]) -> list[Entry]:
        """The entries that some release of this Python needs on this platform.

        pip judges markers by the machine that it runs on, also for another platform. A package may
        be there in two versions: 3.11.4 may need another one than 3.11.5.
        """
        surroundings = list(self._surroundings())
        return [
            entry
            for entry in lock
            if entry.requirement.marker is None
            or any(entry.requirement.marker.evaluate(one) for one in surroundings)
        ]

    def _surroundings(self) -> Iterator[dict[str, str]]:
        """What markers are judged by, for each release of this Python that there may be."""
        one = PLATFORMS[self.platform]
        for patch in range(40):
            yield {
                "sys_platform": one.sys_platform,
                "platform_system": one.platform_system,
                "os_name": one.os_name,
                "platform_machine": one.machine,
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "python_version": self.python,
                "python_full_version": f"{self.python}.{patch}",
                "implementation_version": f"{self.python}.{patch}",
                "platform_release": "",
                "platform_version": "",
                "extra": "",
            }

    def missing(self, lock: Sequence[Entry], wheels: dict[Path, str]) -> list[Entry]:
        """The entries without a wheel that fits.

        Args:
            lock: its entries.
            wheels: the SHA-256 of each wheel that there is.
        """
        there: dict[tuple[str, str], list[str]] = {}
        for path, digest in wheels.items():
            name, version, _, tags = parse_wheel_filename(path.name)
            if tags & self.tags:
                there.setdefault((name, str(version)), []).append(digest)
        return [
            entry
            for entry in self.wanted(lock)
            if not entry.hashes & set(there.get((entry.name, str(Version(entry.version))), ()))
        ]
