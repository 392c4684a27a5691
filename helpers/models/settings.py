"""The settings of the local models, read from `COURSE_*` variables."""

import os
from dataclasses import dataclass

from helpers.models.errors import BadSetting


def _whole(name: str, default: int, least: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise BadSetting(f"{name} is {text!r}: set it to a whole number of at least {least}.")
    return value


def _switch(name: str) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "0", "false", "off", "no"}:
        return False
    if text in {"1", "true", "on", "yes"}:
        return True
    raise BadSetting(f"{name} is {text!r}: set it to 1 or 0.")


def default_threads() -> int:
    """Threads of one model: the physical cores but one, at most 4.

    The engine's threads wait for each other at every step. With one on each core, a machine that
    does anything else slows an answer down tenfold and more; with a core to spare it does not. A
    135M model gains nothing beyond four.
    """
    import psutil

    return max(1, min((psutil.cpu_count(logical=False) or 1) - 1, 4))


@dataclass(frozen=True)
class Settings:
    """How the local servers run.

    Attributes:
        threads: threads of one model (`COURSE_THREADS`; the physical cores but one, at
            most 4).
        slots: requests that are answered at the same time (`COURSE_SLOTS`; 1).
        context: tokens of prompt and answer that one request may hold (`COURSE_CONTEXT`; 4096;
            the model was trained with 8192).
        seed: seed of the sampler, for temperatures above 0 (`COURSE_SEED`; 0).
        prompt_cache: whether a request may reuse the work done for the beginning of an earlier
            prompt (`COURSE_PROMPT_CACHE`; off). On, answers come sooner, but the same prompt no
            longer always gives the same bytes.
    """

    threads: int
    slots: int = 1
    context: int = 4096
    seed: int = 0
    prompt_cache: bool = False

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the `COURSE_*` variables; a value that cannot be used raises `BadSetting`."""
        return cls(
            threads=_whole("COURSE_THREADS", 0, 1) or default_threads(),
            slots=_whole("COURSE_SLOTS", 1, 1),
            context=_whole("COURSE_CONTEXT", 4096, 256),
            seed=_whole("COURSE_SEED", 0, 0),
            prompt_cache=_switch("COURSE_PROMPT_CACHE"),
        )
