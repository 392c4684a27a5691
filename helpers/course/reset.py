"""`course reset 01`: the lab as it was shipped, after a dated copy of the learner's."""

from dataclasses import dataclass
from pathlib import Path

from helpers.course import progress
from helpers.course.checkout import Checkout, CheckoutError
from helpers.course.copies import keep, write_whole


class UnknownLab(LookupError):  # noqa: N818 - it reads as what it is
    """There is no lab of this number; the message says which there are."""


@dataclass(frozen=True)
class Reset:
    """What a reset did: the files restored, and the folder of the copies, if any differed."""

    restored: tuple[str, ...]
    copies: Path | None


def reset(module: str, *, root: Path) -> Reset:
    """Restore the lab of a module, with the files that belong to it.

    Files that the learner added are left alone, and so is progress, except that solutions which
    `course catch-up` gave are no longer there: from now on, tries are the learner's own.

    Raises:
        CheckoutError: the course's folder is no git clone.
        UnknownLab: there is no lab of this number.
        OSError: the copy could not be made; then nothing is restored.
    """
    checkout = Checkout.at(root)
    commit = _shipped(checkout, module)
    paths = _lab_files(checkout, commit, module)
    if not paths:
        there = sorted({path.removeprefix("labs/")[:2] for path in checkout.files("HEAD", "labs/")})
        known = f"The labs are: {', '.join(there)}." if there else "There are no labs here yet."
        raise UnknownLab(f"There is no lab {module!r}. {known}")
    different = set(checkout.changed(commit, "--", *paths))
    restored = [path for path in paths if path in different]
    present = [root / path for path in restored if (root / path).is_file()]
    copies = keep(present, root=root) if present else None
    for path in restored:
        content = checkout.content(commit, path)
        assert content is not None, path  # it was listed from this commit
        write_whole(root / path, content)
    progress.record_taken_back(module)
    return Reset(tuple(restored), copies)


def _lab_files(checkout: Checkout, commit: str, module: str) -> list[str]:
    return [
        path
        for path in checkout.files(commit, "labs/")
        if path.removeprefix("labs/").startswith(f"{module}_")
    ]


def as_shipped(path: str, module: str, *, root: Path) -> bytes:
    """A module's file as the course shipped it; nothing where there is no clone to ask.

    Args:
        path: below the course's folder, with forward slashes.
        module: its number.
        root: the course's folder.
    """
    try:
        checkout = Checkout.at(root)
        return checkout.content(_shipped(checkout, module), path) or b""
    except CheckoutError:
        return b""


def _shipped(checkout: Checkout, module: str) -> str:
    """The commit that has the lab as the course shipped it.

    That is the newest one, unless the learner has committed work on the lab: then it is the last
    one shared with the course. The lab's source tells the two apart: who changes a lab for the
    course changes its source too.
    """
    upstream = checkout.upstream()
    if upstream is None:
        return "HEAD"
    # Unrelated histories have no base; then the newest commit is all there is.
    if not checkout.succeeds("merge-base", "HEAD", upstream):
        return "HEAD"
    base = checkout.git("merge-base", "HEAD", upstream).strip()
    source = f"solutions/src/{module}_*.py"
    return base if checkout.succeeds("diff", "--quiet", base, "HEAD", "--", source) else "HEAD"
