"""`course bundle`: a folder from which the course is installed without a network."""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.paths import ROOT, course_dir
from helpers.workshop.bundle.targets import PLATFORMS, PYTHONS, Target, here, this_python


def bundle(argv: Sequence[str]) -> int:
    """Make or verify a bundle; 0 it is complete, 1 it is not or could not be made, 2 bad use."""
    from helpers.workshop.bundle.folder import make, size_mb, verify
    from helpers.workshop.bundle.wheels import BundleError

    options = _options(argv)
    folder: Path = options.folder
    began = time.monotonic()
    log = course_dir() / "bundle.log"
    try:
        if options.verify:
            return _report(folder, *verify(folder))
        targets = [Target(name, python) for name in options.platform for python in options.python]
        log.write_text("", encoding="utf-8")
        every = make(folder, targets, root=ROOT, log=log)
    except BundleError as error:
        print(f"course bundle: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        advice = "The disk is full: free some space" if full else f"{error}. Name another folder"
        print(f"course bundle: {advice}, and run the same command again.", file=sys.stderr)
        return 1
    print(f"{folder} is complete: {size_mb(folder):,} MB, {time.monotonic() - began:.0f} seconds.")
    print("\n".join(f"  for {target}" for target in every))
    print("Copy the folder to a stick. Participants run its start.py: README.txt says how.")
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="course bundle",
        description="Make a folder for a USB stick, for a room with bad Wi-Fi. It contains the "
        "course's newest commit, the lock's wheels for the named platforms and Pythons, checksums, "
        "and a program that installs all this without a network. A participant who has git and "
        "Python runs `python3 STICK/start.py` (Windows: `py STICK\\start.py`) in a folder of their "
        "own. Run this command again to resume after an interruption, or to add a platform.",
        epilog="One platform with one Python takes about 670 MB (1 MB is 1,000,000 bytes). Exit "
        "status: 0 the bundle is complete, 1 it is not, or could not be made, 2 bad use.",
    )
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="a folder that is new, empty, or a bundle"
    )
    parser.add_argument(
        "--platform",
        nargs="+",
        choices=PLATFORMS,
        metavar="NAME",
        help=f"one or more of {', '.join(PLATFORMS)} (default: this machine's)",
    )
    parser.add_argument(
        "--python",
        nargs="+",
        choices=PYTHONS,
        metavar="VERSION",
        help=f"one or more of {', '.join(PYTHONS)} (default: the one that runs this command)",
    )
    parser.add_argument(
        "--verify", action="store_true", help="check a bundle against its checksums and its lock"
    )
    options = parser.parse_args(argv)
    if not str(options.folder).strip() or options.folder == Path():
        parser.error("DIR is empty or this folder: name a folder for the bundle")
    if options.verify and (options.platform or options.python):
        parser.error("--verify takes the platforms and Pythons from the bundle itself")
    own = here()
    if not options.verify and options.platform is None and own is None:
        parser.error(
            f"the lock has no wheels for this machine: give --platform, one or more of "
            f"{', '.join(PLATFORMS)}"
        )
    options.platform = options.platform or [own]
    options.python = options.python or [this_python()]
    return options


def _report(folder: Path, targets: Sequence[Target], wrong: Sequence[str]) -> int:
    if not wrong:
        print(f"{folder} is complete.")
        print("\n".join(f"  for {target}" for target in targets))
        return 0
    print("\n".join(wrong))
    print(f"{folder} is not complete. To complete it: course bundle {folder}")
    return 1


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"bundle": bundle}
