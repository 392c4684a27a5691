"""`course update`: the newest version of the course, with the learner's work kept.

The order makes sure that nothing is lost, wherever it is interrupted:

1. Look for a merge that is not finished. Then fetch. Without a network, nothing has been touched.
2. Look for whatever would stop the move: commits of the learner's own, other files in the way.
3. Copy every file that the learner changed in labs, notebooks and solutions to a dated folder in
   `copies/`, and write down what is going on (`.course/update.json`).
4. Move to the newest commit. Those files that have a new version in it are restored before.
5. Put the learner's cells into the new versions (`helpers.course.cells`), and strike out the note.

An update that finds such a note finishes what it describes before anything else.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.course.cells import Merge, NotANotebookError, dump, merge, parse
from helpers.course.checkout import Checkout, CheckoutError
from helpers.course.copies import keep, write_whole
from helpers.paths import course_dir

FOLDERS = ("labs/", "notebooks/", "solutions/")  # where a learner works

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Note:
    """An update that has begun: which commits, which files, where their copies are."""

    old: str
    new: str
    copies: Path
    files: tuple[str, ...]  # those that the learner changed and the new version brings anew

    @staticmethod
    def place() -> Path:
        return course_dir() / "update.json"

    def write(self) -> None:
        data = {"old": self.old, "new": self.new, "copies": str(self.copies), "files": self.files}
        write_whole(self.place(), json.dumps(data).encode())

    @classmethod
    def read(cls) -> "_Note | None":
        try:
            data = json.loads(cls.place().read_bytes())
        except FileNotFoundError:
            return None
        return cls(data["old"], data["new"], Path(data["copies"]), tuple(data["files"]))


def update(*, root: Path, say: Say = print) -> None:
    """Move the clone to the newest version of the branch that it follows, and say what happened.

    Raises:
        CheckoutError: it cannot be done; the message says why, and what to do. The learner's files
            are then as they were.
        OSError: no copy could be made (a full disk). Nothing has been replaced then.
    """
    checkout = Checkout.at(root)
    _no_conflict(checkout)
    _finish(checkout, say)
    upstream = _fetched(checkout)
    old, new = checkout.commit("HEAD"), checkout.commit(upstream)
    if checkout.succeeds("merge-base", "--is-ancestor", new, old):
        say("This is the newest version already.")
        return
    if not checkout.succeeds("merge-base", "--is-ancestor", old, new):
        raise CheckoutError(_diverged(checkout, upstream, new))
    coming = set(checkout.changed(old, new))
    changed = [path for path in checkout.changed("HEAD") if (root / path).exists()]
    mine = [path for path in changed if _is_work(path)]
    # What a move that was cut off has left of the new version is nobody's work.
    odd = coming & {*checkout.changed("HEAD"), *checkout.untracked()} - set(mine)
    left = {path for path in odd if checkout.is_as_in(new, path)}
    _nothing_in_the_way(checkout, coming - left, mine)
    note = None
    if mine:
        copies = keep([root / path for path in mine], root=root)
        say(f"A copy of {_counted(len(mine), 'file')} that you changed is in {copies}.")
        note = _Note(old, new, copies, tuple(path for path in mine if path in coming))
        note.write()
    _move(checkout, note, new, coming & (left | set(checkout.changed("HEAD"))))
    count = checkout.git("rev-list", "--count", f"{old}..{new}").strip()
    say(f"Moved to the newest version ({_counted(int(count), 'change')}).")
    if note:
        _put_back(checkout, note, say)
    if any(path.endswith(".lock") for path in coming):
        say("It needs other packages: `python3 -m helpers lab` installs them.")


def _fetched(checkout: Checkout) -> str:
    upstream = checkout.upstream()
    if upstream is None:
        raise CheckoutError(
            "This branch follows no remote branch, so that there is nowhere to update from. If you "
            "cloned the course, `git switch main` goes back to its branch."
        )
    try:
        checkout.git("fetch", "--quiet")
    except CheckoutError as error:
        raise CheckoutError(
            f"The newest version could not be fetched, and nothing was changed. Try again when the "
            f"network is there.\n{error}"
        ) from None
    return upstream


def _no_conflict(checkout: Checkout) -> None:
    """Stop in the middle of a merge, where git moves nowhere; what has been edited is copied."""
    what, conflicts = checkout.unfinished(), set(checkout.conflicts())
    if not what and not conflicts:
        return
    root = checkout.root
    here = [root / path for path in checkout.changed("HEAD") if (root / path).is_file()]
    copies = f" Your files as they are now are copied to {keep(here, root=root)}." if here else ""
    # What git merged by itself and was edited since would keep `--abort` from working.
    edited = set(checkout.changed()) & set(checkout.changed("--cached")) - conflicts
    undone = edited if what else conflicts
    known = set(checkout.files("HEAD"))
    steps = [
        f"{words} {shlex.join(sorted(paths))}"
        for words, paths in (
            ("git checkout HEAD --", undone & known),
            ("git rm --quiet --force --", undone - known),
        )
        if paths
    ]
    steps += [f"git {what} --abort"] if what else []
    said = f"A git {what} is not finished here" if what else "Git has left conflicts here"
    where = f" (in {_listed(conflicts)})" if conflicts else ""
    listed = "\n  ".join([*steps, "course update"])
    raise CheckoutError(
        f"{said}{where}, so that the course cannot move to its newest version. Nothing was changed."
        f"{copies} To go back to your last commit and then update:\n  {listed}"
    )


def _diverged(checkout: Checkout, upstream: str, new: str) -> str:
    base = checkout.git("merge-base", "HEAD", new).strip()
    count = int(checkout.git("rev-list", "--count", f"{base}..HEAD").strip())
    names = ("my-work", *(f"my-work-{number}" for number in range(2, 1000)))
    name = next(name for name in names if not checkout.has_branch(name))
    return (
        f"Your branch has {_counted(count, 'commit')} of its own, so that it cannot simply move to "
        "the newest version. Nothing was changed. To turn your commits into uncommitted work, keep "
        f"them on the branch {name} too, and then update:\n"
        f"  git branch {name}\n  git reset --soft {base[:12]}\n  course update\n"
        f"Or merge by hand: git merge {upstream}"
    )


def _nothing_in_the_way(checkout: Checkout, coming: set[str], mine: Sequence[str]) -> None:
    """Stop before anything is touched where git would stop halfway."""
    edited = coming & (set(checkout.changed("HEAD")) - set(mine))
    edited = {path for path in edited if (checkout.root / path).exists()}
    untracked = coming & set(checkout.untracked())
    if edited:
        raise CheckoutError(
            f"The newest version changes files that you changed too: {_listed(edited)}. Nothing was"
            " changed. Keep a copy of yours where you like, restore the course's with `git checkout"
            " HEAD -- FILE`, and update again."
        )
    if untracked:
        raise CheckoutError(
            f"The newest version brings files where you have files of your own: "
            f"{_listed(untracked)}. Nothing was changed. Rename yours, and update again."
        )


def _move(checkout: Checkout, note: _Note | None, new: str, in_the_way: set[str]) -> None:
    """Move branch and folder to the new commit; what is in the way has a copy, or needs none."""
    known = set(checkout.files("HEAD"))
    try:
        checkout.restore(in_the_way & known)
        for path in in_the_way - known:
            (checkout.root / path).unlink(missing_ok=True)
        checkout.git("merge", "--ff-only", "--quiet", new)
    except CheckoutError as error:
        if note:
            _take_back(checkout, note)
        raise CheckoutError(f"{error}\nYour files are as they were.") from None


def _take_back(checkout: Checkout, note: _Note) -> None:
    """The state before the update: what had been replaced is the learner's again."""
    for path in note.files:
        place = checkout.root / path
        replaced = any(checkout.is_as_in(commit, path) for commit in (note.old, note.new))
        if replaced or not place.exists():
            write_whole(place, (note.copies / path).read_bytes())
    note.place().unlink()


def _finish(checkout: Checkout, say: Say) -> None:
    """Finish an update that was interrupted: backwards before the move, forwards after it."""
    note = _Note.read()
    if note is None:
        return
    say(f"An update was interrupted. Your files of that time are in {note.copies}.")
    if checkout.commit("HEAD") == note.old:
        _take_back(checkout, note)
    else:
        _put_back(checkout, note, say)


def _put_back(checkout: Checkout, note: _Note, say: Say) -> None:
    for path in note.files:
        # Otherwise it was put back before an interruption, or edited since.
        if checkout.is_as_in("HEAD", path):
            for sentence in _put_back_one(checkout, note, path):
                say(f"{path}: {sentence}")
    note.place().unlink()


def _put_back_one(checkout: Checkout, note: _Note, path: str) -> list[str]:
    """Bring one file's cells into its new version; what became of them, in sentences."""
    copy = note.copies / path
    old, new = checkout.content(note.old, path), checkout.content("HEAD", path)
    if new is None:
        return [f"no longer part of the course. Yours is in {copy}."]
    if old is None or not path.endswith(".ipynb"):
        return [f"changed in the course, so this is the new one. Yours is in {copy}."]
    try:
        mine = parse(copy.read_bytes())
    except NotANotebookError:
        return [f"yours could not be read as a notebook, so this is the new one; see {copy}."]
    merged = merge(parse(old), mine, parse(new))
    if merged.put_back or merged.added:
        write_whole(checkout.root / path, dump(merged.notebook))
    return _told(merged, copy)


def _told(merged: Merge, copy: Path) -> list[str]:
    said = []
    if merged.put_back:
        said.append(f"put back {_listed(merged.put_back)}.")
    if merged.added:
        said.append(f"put back {_counted(merged.added, 'cell')} that you added.")
    if merged.changed:
        said.append(f"changed in the course, so yours was not put back: {_listed(merged.changed)}.")
    if merged.removed:
        said.append(f"no longer in the course: {_listed(merged.removed)}.")
    if merged.changed or merged.removed:
        said.append(f"what was not put back is in {copy}.")
    return said


def _is_work(path: str) -> bool:
    return path.startswith(FOLDERS) and "/src/" not in path


def _listed(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names) if isinstance(names, set) else names)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
