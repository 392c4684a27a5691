"""What a pool of real actors did with the texts of exercise 06.1, as plain values.

The workers stay from one case to the next; those that have died are replaced before a case begins.
"""

import os
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from helpers import loading
from helpers.course.exercises.m06.e1_embed_all import Changed, Killed, NotAPair

with loading.getting_ready():
    import ray
    import ray.actor

EmbedAll = Callable[[list[Any], list[str]], Any]

BARRIER_S = 2.5
"""How long a text that takes long waits for all others to be embedded."""

PAUSE_S = 0.03
"""What each text takes: a second call finds the first one running, and a dead worker is faster."""

_NOWHERE = "/no folder"

_workers: list[Any] = []


class PoisonError(ValueError):
    """An error of its own type, as a tokenizer raises one."""


class Worker:
    """An embedding worker that does with each text what a case says."""

    def __init__(self) -> None:
        self.folder = Path(_NOWHERE)
        self.does: dict[str, str] = {}
        self.others = 0

    def prepare(self, folder: str, does: Mapping[str, str], others: int) -> int:
        """What to do with which texts from now on, and where to note it; returns the process."""
        self.folder, self.does, self.others = Path(folder), dict(does), others
        return os.getpid()

    def embed(self, text: str) -> list[float]:
        """The vector of a text, an error, or the end of this process."""
        self._note("asked", text)
        what = self.does.get(text, "")
        if what == "dies" or (what == "dies once" and self._noted("asked").count(text) == 1):
            self._note("died", str(os.getpid()))
            # As after a kill, but Ray prints no warning of it.
            ray.actor.exit_actor()  # type: ignore[no-untyped-call]
        if what == "poison":
            raise PoisonError(f"no token for {text!r}")
        if what in ("KeyError", "TimeoutError"):
            raise {"KeyError": KeyError, "TimeoutError": TimeoutError}[what](f"lost {text!r}")
        if what == "long":
            self._note("shared", str(self._wait_for_the_others()))
        time.sleep(PAUSE_S)
        self._note("done", text)
        return vector(text)

    def _wait_for_the_others(self) -> bool:
        """Whether the other workers embed all other texts while this one is busy."""
        deadline = time.monotonic() + BARRIER_S
        while time.monotonic() < deadline:
            if len(self._noted("done")) >= self.others:
                return True
            time.sleep(0.01)
        return False

    def _note(self, name: str, line: str) -> None:
        if not self.folder.is_dir():  # a call that a wrong answer left behind
            return
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def _noted(self, name: str) -> list[str]:
        return noted(self.folder, name)


class _Watched:
    """A worker's method `embed`, which counts the calls that a learner's function must not make.

    Attributes:
        dead: calls after the worker has died.
        busy: calls while an earlier one was running.
    """

    def __init__(self, method: Any, has_died: Callable[[], bool]) -> None:
        self._method, self._has_died = method, has_died
        self._last: list[Any] = []
        self.dead = self.busy = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)

    def remote(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method."""
        self.dead += self._has_died()
        self.busy += bool(self._last) and not ray.wait(self._last, timeout=0)[0]
        self._last = [self._method.remote(*args, **kwargs)]
        return self._last[0]

    def options(self, **options: Any) -> Any:
        """The same method with options."""
        self._method = self._method.options(**options)
        return self


@contextmanager
def _watched(pids: Mapping[Any, int], folder: Path) -> Iterator[list[_Watched]]:
    """The methods of these workers, watched while a learner's function has them."""

    def died(pid: int) -> bool:
        return str(pid) in noted(folder, "died")

    methods = list[_Watched]()
    for worker, pid in pids.items():
        worker.embed = _Watched(worker.embed, partial(died, pid))
        methods.append(worker.embed)
    try:
        yield methods
    finally:
        for worker in pids:
            del worker.embed


def _killed(pids: Mapping[Any, int], folder: Path) -> bool:
    """Whether a worker is dead that no text has killed."""
    left = [w for w, pid in pids.items() if str(pid) not in noted(folder, "died")]
    try:
        ray.get([worker.prepare.remote(_NOWHERE, {}, 0) for worker in left], timeout=5)
    except ray.exceptions.RayActorError:
        return True
    except ray.exceptions.GetTimeoutError:  # a call that a wrong answer left behind
        return False
    return False


def vector(text: str) -> list[float]:
    """What a worker makes of a text."""
    return [float(len(text)), zlib.crc32(text.encode()) / 2**32]


def noted(folder: Path, name: str) -> list[str]:
    """The lines that the workers wrote under this name, in order."""
    path = folder / name
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _pool(count: int) -> list[Any]:
    """So many workers that are alive. Ray starts with the first one, which takes its time."""
    from helpers.scale import start_ray

    with loading.getting_ready():
        start_ray()
        _workers[:] = [worker for worker in _workers if _alive(worker)]
        make = ray.remote(num_cpus=0)(Worker)
        _workers.extend(make.remote() for _ in range(count - len(_workers)))
        ray.get([worker.prepare.remote(_NOWHERE, {}, 0) for worker in _workers])
    return _workers[:count]


def _alive(worker: Any) -> bool:
    try:
        ray.get(worker.prepare.remote(_NOWHERE, {}, 0), timeout=5)
    except ray.exceptions.GetTimeoutError:  # a call of a wrong answer holds it up
        ray.kill(worker)
        return False
    except Exception:  # it has died, or its cluster has been stopped
        return False
    return True


def embedded(
    embed_all: EmbedAll,
    texts: Sequence[str],
    workers: int,
    does: Mapping[str, str],
    times: int = 1,
) -> dict[str, Any]:
    """What comes of these texts, and how often each was asked for.

    Args:
        embed_all: the learner's function.
        texts: given as a list.
        workers: how many there are.
        does: what becomes of texts: "dies", "dies once", "poison", "KeyError", "TimeoutError",
            "long" (it takes until all others are embedded).
        times: how often the function is called; the last time is judged.
    """
    pool = _pool(workers)
    with tempfile.TemporaryDirectory() as name:
        others = sum(does.get(text, "") != "long" for text in texts)
        with loading.getting_ready():
            found = ray.get([worker.prepare.remote(name, does, others) for worker in pool])
        pids = dict(zip(pool, found, strict=True))
        given, handed = list(texts), list(pool)
        for _ in range(times):
            for file in Path(name).iterdir():
                file.unlink()
            with _watched(pids, Path(name)) as methods:
                result = embed_all(handed, given)
        asked = Counter(noted(Path(name), "asked"))
        shared = noted(Path(name), "shared")
        killed = _killed(pids, Path(name))
    if given != list(texts) or handed != pool:
        raise Changed("a list that was given is not what it was before the call")
    if killed:
        raise Killed("a worker that no text has killed is dead after the call")
    return _judged(result, texts, does) | {
        "given to a dead worker": sum(method.dead for method in methods),
        "given to a busy worker": sum(method.busy for method in methods),
        "asked more than once": {text: n for text, n in asked.items() if n > texts.count(text)},
        **({"others done meanwhile": shared == ["True"]} if "long" in does.values() else {}),
    }


def _judged(result: Any, texts: Sequence[str], does: Mapping[str, str]) -> dict[str, Any]:
    if not (isinstance(result, tuple | list) and len(result) == 2):
        raise NotAPair(f"(vectors, failed) is expected; this is {type(result).__name__}")
    vectors, failed = result
    if not isinstance(vectors, list) or not isinstance(failed, dict):
        raise NotAPair("vectors is a list and failed a dict")
    places = dict(enumerate(texts))
    right = [
        place
        for place, text in places.items()
        if place < len(vectors) and _floats(vectors[place]) == vector(text)
    ]
    reasons = {}
    for place, reason in failed.items():
        text = places.get(place, "")
        says = isinstance(reason, str) and bool(reason.strip())
        if says and does.get(text) in ("poison", "KeyError", "TimeoutError"):
            says = f"{text!r}" in reason
        reasons[place] = "a reason" if says else reason
    return {
        "length": len(vectors),
        "right vectors at": right,
        "None at": [place for place, one in enumerate(vectors) if one is None],
        "failed": dict(sorted(reasons.items(), key=lambda pair: str(pair[0]))),
    }


def _floats(got: Any) -> Any:
    try:
        return [float(number) for number in got]
    except (TypeError, ValueError):
        return None
