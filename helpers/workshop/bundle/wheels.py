"""Download the wheels that a bundle lacks, with pip, for machines of any kind."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.launcher import advice
from helpers.launcher.advice import SetUpError
from helpers.launcher.installers import EXACT, Pip, pip_settings
from helpers.launcher.running import pip_progress, run
from helpers.workshop.bundle.targets import PLATFORMS, Entry, Target

# pip keeps nothing of a run that is interrupted: so many packages are lost at most.
AT_A_TIME = 20

# The launcher's sentences are a learner's. Here they name what an instructor can do.
SENTENCES = {
    advice.DISK: f"The disk is full. Free some space, or name a folder elsewhere. {advice.AGAIN}",
    advice.NETWORK: "The packages could not be downloaded: there is no network, or a proxy blocks "
    f"them. Connect. {advice.AGAIN}",
    advice.HASH: "A downloaded package is not the one that the lock names (its hash differs), so "
    "it was not taken. A proxy or a mirror may have changed it: try another network.",
    advice.MISSING: "Your pip finds no wheel of a package of the lock for this target. Leave out "
    "that platform or Python, or check your pip's settings. README lists the platforms that have "
    "every package.",
    advice.PERMISSION: "A file in the folder cannot be written: check that it is yours. "
    f"{advice.AGAIN}",
}


class BundleError(Exception):
    """The bundle cannot be made or read; the message says what to do."""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_wheels(folder: Path) -> dict[Path, str]:
    """The SHA-256 of each wheel in a folder."""
    return {path: sha256(path) for path in sorted(folder.glob("*.whl")) if path.is_file()}


def drop_damaged(folder: Path, lock: Sequence[Entry]) -> list[str]:
    """Delete the wheels that the lock does not name (cut off, or of an older lock): their names."""
    allowed = frozenset().union(*(entry.hashes for entry in lock))
    gone = [path for path, digest in read_wheels(folder).items() if digest not in allowed]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]


def batches(entries: Sequence[Entry], size: int = AT_A_TIME) -> Iterator[list[Entry]]:
    """The entries in lists of at most `size`, in none of which a package is there twice."""
    left = list(entries)
    while left:
        taken: dict[str, Entry] = {}
        for entry in left:
            if len(taken) < size:
                taken.setdefault(entry.name, entry)
        yield list(taken.values())
        left = [entry for entry in left if taken.get(entry.name) is not entry]


def download(wanted: dict[Target, list[Entry]], folder: Path, log: Path) -> None:
    """Download a wheel for each entry of each target into `folder`.

    Args:
        wanted: the missing entries of each target.
        folder: where the wheels go.
        log: the file that gets everything that pip says.

    Raises:
        BundleError: it did not work; what came before the failure is kept.
    """
    with tempfile.TemporaryDirectory() as place:
        python = Path(place) / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        try:
            Pip().create(Path(place) / "env", log)
            run([str(python), "-m", "ensurepip"], log, lambda _: None)
            settings = pip_settings(python)
            for target, entries in wanted.items():
                # What an earlier target has brought fits this one too, where it is pure Python.
                entries = target.missing(entries, read_wheels(folder))
                print(f"{target}: {len(entries)} packages to download.", flush=True)
                progress = pip_progress(len(entries))
                for batch in batches(entries):
                    lines = Path(place) / "wanted.txt"
                    lines.write_text("".join(entry.line() for entry in batch), encoding="utf-8")
                    run(_command(python, target, folder, lines), log, progress, settings)
        except SetUpError as error:
            text = str(error)
            for sentence, put in SENTENCES.items():
                text = text.replace(sentence, put)
            raise BundleError(text) from error


def _command(python: Path, target: Target, folder: Path, lines: Path) -> list[str]:
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    # The lock's marker has said which release of this Python a package is for.
    options += [*EXACT, "--ignore-requires-python", "--dest", str(folder)]
    options += ["--implementation", "cp", "--python-version", target.python]
    for tag in PLATFORMS[target.platform].tags:
        options += ["--platform", tag]
    return [str(python), "-m", "pip", "download", *options, "-r", str(lines)]
