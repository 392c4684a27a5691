"""The folder of a bundle: make it, and verify one."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.course.checkout import Checkout, CheckoutError
from helpers.workshop.bundle import start
from helpers.workshop.bundle.targets import Entry, Target, read_lock
from helpers.workshop.bundle.wheels import BundleError, download, drop_damaged, read_wheels, sha256

LOCK = "requirements.lock"
INDEX = "bundle.json"
SUMS = "SHA256SUMS"
FORMAT = "production-agents bundle"
# Measured on linux-x86_64 with Python 3.11: wheels that fit every target (the models among them),
# and wheels for one platform or one Python.
MB_SHARED = 300
MB_TARGET = 360
MB_SPARE = 100

README = """\
Production LLM agents: install without a network

You need git and Python ({pythons}). This folder is for {platforms}.

Open a terminal in the folder where you want the course. In this command, replace STICK with the
place of this folder:

    python3 STICK/start.py            (Linux, macOS)
    py STICK\\start.py                 (Windows)

It makes a folder production-agents, installs the packages there without a network, checks the
machine and opens JupyterLab. This takes about 2 GB of your disk. To name another folder or command:

    python3 STICK/start.py my-folder doctor

If it is interrupted, run the same command again. After the set-up you do not need this folder.
To get later versions of the course, tell git where they come from:

    git remote set-url origin ADDRESS

To check this folder, run in it: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS).
"""


def make(folder: Path, targets: Sequence[Target], *, root: Path, log: Path) -> list[Target]:
    """Make or complete a bundle; files that are there and undamaged are kept.

    Args:
        folder: new, empty, or a bundle.
        targets: the platforms and Pythons to have wheels for, beside those that it has.
        root: the course's clone; the bundle has its newest commit.
        log: the file that gets everything that pip says.

    Returns:
        Every target that the bundle is for.

    Raises:
        BundleError: it cannot be made; the message says what to do.
    """
    every = list(dict.fromkeys([*_before(folder), *targets]))
    if root.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise BundleError(
            f"{folder} is inside the course's own folder, where git would see it as part of the "
            "course: name a folder outside, such as ../stick."
        )
    checkout = _checkout(root)
    text = checkout.git("show", f"HEAD:{LOCK}")
    lock = read_lock(text)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    _write(folder / INDEX, _index(every, complete=False))
    for name in drop_damaged(wheels, lock):
        print(f"Removed {name}: it is damaged, or not in the lock of this version.")
    there = read_wheels(wheels)
    missing = {target: target.missing(lock, there) for target in every}
    _enough_space(folder, missing, lock, empty=not there)
    _write(folder / LOCK, text)
    if any(missing.values()):
        download({target: left for target, left in missing.items() if left}, wheels, log)
    _course(checkout, folder / "course.bundle")
    _write(folder / "start.py", Path(start.__file__).read_text("utf-8"))
    names = [sorted({getattr(target, key) for target in every}) for key in ("python", "platform")]
    pythons, platforms = (" or ".join(values) for values in names)
    _write(folder / "README.txt", README.format(pythons=pythons, platforms=platforms))
    _write(folder / INDEX, _index(every, complete=True))
    _write(folder / SUMS, "".join(f"{sha256(folder / n)}  {n}\n" for n in _files(folder)))
    return every


def verify(folder: Path) -> tuple[list[Target], list[str]]:
    """Compare a bundle with its checksums and its lock.

    Returns:
        The targets that it is for, and what is wrong, a sentence each.

    Raises:
        BundleError: it is not a bundle.
    """
    targets = _read_index(folder)
    if targets is None:
        raise BundleError(f"{folder} is not a bundle: it has no {INDEX} that can be read.")
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError):
        return targets, [f"{SUMS} is missing or damaged: the bundle is not complete."]
    wrong = []
    there = set(_files(folder))
    for name, digest in sums.items():
        if name not in there:
            wrong.append(f"{name} is missing.")
        elif sha256(folder / name) != digest:
            wrong.append(f"{name} is damaged (its checksum differs).")
    wrong += [f"{name} does not belong to this bundle." for name in sorted(there - sums.keys())]
    if not wrong:
        lock = read_lock((folder / LOCK).read_text("utf-8"))
        wheels = {folder / name: digest for name, digest in sums.items() if name.endswith(".whl")}
        for target in targets:
            left = target.missing(lock, wheels)
            wrong += [f"{entry.name} {entry.version} has no wheel for {target}." for entry in left]
    return targets, wrong


def size_mb(folder: Path) -> int:
    """What the files of a bundle take, in MB (1,000,000 bytes)."""
    return sum((folder / name).stat().st_size for name in [*_files(folder), SUMS]) // 1_000_000


def _before(folder: Path) -> list[Target]:
    """The targets of the bundle that is there, if any; raises `BundleError` for other things."""
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"{folder} is a file: name a folder that is new or empty.")
    targets = _read_index(folder)
    if targets is None and folder.exists() and any(folder.iterdir()):
        raise BundleError(f"{folder} holds other files: name a folder that is new or empty.")
    return targets or []


def _read_index(folder: Path) -> list[Target] | None:
    try:
        found = json.loads((folder / INDEX).read_text("utf-8"))
        if found["format"] != FORMAT:
            return None
        targets = [Target(str(platform), str(python)) for platform, python in found["targets"]]
        for target in targets:
            _ = target.tags  # a platform that this version does not know
        return targets
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _index(targets: Sequence[Target], *, complete: bool) -> str:
    pairs = [[target.platform, target.python] for target in targets]
    found = {"format": FORMAT, "complete": complete, "targets": pairs}
    return json.dumps(found, indent=1) + "\n"


def _checkout(root: Path) -> Checkout:
    try:
        checkout = Checkout.at(root)
        if checkout.git("rev-parse", "--is-shallow-repository").strip() == "true":
            raise BundleError("This clone is shallow. Run `git fetch --unshallow`, then try again.")
        changed = checkout.changed("HEAD")
    except CheckoutError as error:
        raise BundleError(str(error)) from error
    if changed:
        print(f"The bundle gets the newest commit, without your changes to {len(changed)} files.")
    return checkout


def _course(checkout: Checkout, path: Path) -> None:
    """The repository as one file, with a branch `main` at the newest commit of this clone."""
    draft = path.with_suffix(".part")
    with tempfile.TemporaryDirectory() as place:
        try:
            bare = f"--git-dir={place}"
            checkout.git("init", "--quiet", "--bare", place)
            checkout.git("push", "--quiet", "--no-verify", place, "HEAD:refs/heads/main")
            checkout.git(bare, "symbolic-ref", "HEAD", "refs/heads/main")
            checkout.git(bare, "bundle", "create", "--quiet", str(draft.resolve()), "HEAD", "main")
        except CheckoutError as error:
            draft.unlink(missing_ok=True)
            raise BundleError(str(error)) from error
    draft.replace(path)


def _enough_space(
    folder: Path, missing: dict[Target, list[Entry]], lock: Sequence[Entry], *, empty: bool
) -> None:
    share = sum(len(left) for left in missing.values()) / max(len(lock), 1)
    wanted = MB_SPARE + int(share * MB_TARGET) + (MB_SHARED if empty else 0)
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < wanted:
        raise BundleError(
            f"The disk is too full: the bundle may need {wanted:,} MB more, and {free:,} MB are "
            "free. Free some space, name a folder elsewhere, or name fewer platforms and Pythons."
        )


def _files(folder: Path) -> list[str]:
    """The bundle's files, without its checksums and without what a system leaves on a stick."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != SUMS and not _is_the_systems(name):
            yield name


def _is_the_systems(name: str) -> bool:
    parts = name.split("/")
    known = {"Thumbs.db", "desktop.ini", "System Volume Information", "$RECYCLE.BIN", "__pycache__"}
    return any(part.startswith(".") or part in known for part in parts)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)
