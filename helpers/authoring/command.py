"""`course build`: notebooks and labs from their sources. `course lock`: both lock files.

`course runs`: the slow steps of notebooks, and the stored runs that spare others the wait.
`course style`: what walkthroughs measure, beside the limits of the style page.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.paths import ROOT

if TYPE_CHECKING:
    from helpers.authoring.stored import Steps


def build(argv: Sequence[str]) -> int:
    """Build notebooks, or check the committed ones: 0 done, 1 drift or failure, 2 not possible."""
    parser = argparse.ArgumentParser(
        prog="course build",
        description="Build notebooks, solutions, labs and the programs that learners take home, "
        "from notebooks/src and solutions/src. Without names: whatever differs from its source; "
        "where only text differs, without running it again. The format of a source is described in "
        "helpers/authoring/__init__.py.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a module to build anew: 01, or its full name"
    )
    parser.add_argument("--all", action="store_true", help="build every module anew")
    parser.add_argument(
        "--fast", action="store_true", help="small samples: for trying out, not for committing"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="build nothing; compare what is committed with its sources",
    )
    parser.add_argument("--json", action="store_true", help="with --check: the report as JSON")
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="the course's folder (default: this one)"
    )
    options = parser.parse_args(argv)
    if options.check:
        if options.names or options.all or options.fast:
            parser.error("--check looks at every committed notebook, and takes no names")
        return _check(options.root, as_json=options.json)
    if options.json:
        parser.error("--json belongs to --check")
    return _build(
        options.root, options.names, anew=options.all or bool(options.names), fast=options.fast
    )


def _build(root: Path, names: Sequence[str], *, anew: bool, fast: bool) -> int:
    from helpers.authoring.build import BuildError, chosen
    from helpers.authoring.build import build as build_module
    from helpers.authoring.execute import RunError
    from helpers.authoring.source import MissingToolError, SourceError

    failed = False
    written: list[Path] = []
    try:
        for stem in chosen(root, names):
            try:
                written += build_module(root, stem, changed_only=not anew, fast=fast)
            except (BuildError, RunError, SourceError) as error:
                print(f"course build: {error}", file=sys.stderr)
                failed = True
    except (BuildError, MissingToolError) as error:
        print(f"course build: {error}", file=sys.stderr)
        return 2
    if not written and not failed:
        print("Every notebook is what its source gives.")
    return int(failed)


def _check(root: Path, *, as_json: bool) -> int:
    from helpers.authoring.committed import NoCommitError, export
    from helpers.authoring.drift import drift
    from helpers.authoring.source import MissingToolError

    with tempfile.TemporaryDirectory(prefix="course-check-") as folder:
        try:
            commit = export(root, Path(folder))
            found = drift(Path(folder))
        except (NoCommitError, MissingToolError) as error:
            print(f"course build: {error}", file=sys.stderr)
            return 2
    if as_json:
        print(json.dumps({"commit": commit, "drift": found}))
    else:
        for line in found:
            print(line)
        verdict = f"{len(found)} to fix" if found else "every notebook is what its source gives"
        print(f"Commit {commit}: {verdict}.")
    return int(bool(found))


def lock(argv: Sequence[str]) -> int:
    """Renew both lock files; 0 done, 1 when uv is missing or finds no solution."""
    from helpers.authoring.locks import LockError, renew

    parser = argparse.ArgumentParser(
        prog="course lock",
        description="Make requirements.lock and requirements-dev.lock from pyproject.toml, for "
        "every platform and Python of the course. Versions stay where they can.",
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest version of every package"
    )
    options = parser.parse_args(argv)
    try:
        counts = renew(ROOT, upgrade=options.upgrade)
    except LockError as error:
        print(f"course lock: {error}", file=sys.stderr)
        return 1
    for name, count in counts.items():
        print(f"{name}: {count} entries")
    return 0


def runs(argv: Sequence[str]) -> int:
    """Run the slow steps of notebooks; 0 done, 1 a cell failed, 2 not possible."""
    from helpers.authoring.source import SourceError
    from helpers.authoring.stored import NoStepError, slow_steps

    parser = argparse.ArgumentParser(
        prog="course runs",
        description="Run the slow steps of notebooks here, in a terminal. Answers are kept in "
        ".course/runs as they come: an interrupted run goes on where it stopped, and the notebook "
        "reads them from there.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a step, as its notebook names it, or a module: 02"
    )
    parser.add_argument("--anew", action="store_true", help="ask again what has been asked")
    parser.add_argument(
        "--store",
        action="store_true",
        help="for authors: renew the stored runs that come with the course, where they are not of "
        "this version of the agent; without names, all of them",
    )
    options = parser.parse_args(argv)
    if not (options.names or options.store):
        parser.error("name a step or a module, such as 02; --store alone renews all")
    try:
        chosen = slow_steps(ROOT, options.names)
    except (NoStepError, SourceError) as error:
        print(f"course runs: {error}", file=sys.stderr)
        return 2
    return _run_steps(chosen, store=options.store, anew=options.anew)


def _run_steps(chosen: "Sequence[Steps]", *, store: bool, anew: bool) -> int:
    from helpers.authoring.execute import RunError
    from helpers.authoring.stored import make

    begin, failed = time.perf_counter(), False
    for steps in chosen:
        print(f"{steps.edition} {steps.stem}: {', '.join(steps.names)}", flush=True)
        try:
            for path in make(steps, ROOT, store=store, anew=anew, say=_at_once):
                print(f"  wrote {path.relative_to(ROOT).as_posix()}", flush=True)
        except RunError as error:
            print(f"course runs: {error}", file=sys.stderr)
            print("What was asked is kept: the same command goes on from there.", file=sys.stderr)
            failed = True
    print(f"{time.perf_counter() - begin:.0f} seconds in all", flush=True)
    return int(failed)


def style(argv: Sequence[str]) -> int:
    """Measure walkthroughs; 0 all is as it must be, 1 a limit is broken, 2 not possible."""
    from helpers.authoring.measured import NoWalkthrough, picked, table
    from helpers.authoring.source import MissingToolError, SourceError
    from helpers.columns import aligned

    parser = argparse.ArgumentParser(
        prog="course style",
        description="Measure walkthroughs against the limits of the style page, from their "
        'sources. "low" or "high" stands behind what breaks a limit; the last column names what '
        "the cells should call and do not. A module that is not rebuilt yet keeps the limits from "
        "before.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NN", help="a module, such as 03, or its full name"
    )
    options = parser.parse_args(argv)
    try:
        rows, good = table(ROOT, picked(ROOT, options.names))
    except (MissingToolError, NoWalkthrough, SourceError) as error:
        print(f"course style: {error}", file=sys.stderr)
        return 2
    for line in aligned(rows):
        print(line)
    return int(not good)


def _at_once(line: str) -> None:
    print(line, flush=True)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "build": build,
    "lock": lock,
    "runs": runs,
    "style": style,
}
