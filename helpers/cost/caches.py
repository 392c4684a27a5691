"""A cache of checked answers: the same bytes, the same words, or nearly the same question.

An answer that is served to the wrong question is a wrong answer, and one that is served to the
wrong customer is a leak. So every entry belongs to one scope (a customer, or the public) and one
version (of documents, prompt, tools and model together), only checked answers are stored, and all
steps but the exact one ask `helpers.cost.guard`.
"""

import logging
import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from helpers.cost.cache_file import CacheFile, Row
from helpers.cost.guard import plain, same_question
from helpers.models.normalise import normalised

log = logging.getLogger(__name__)

How = Literal["exact", "normalised", "semantic"]
_Vector = NDArray[np.float32]
_TRIED = 5
"""Nearest questions that the guard is asked about."""

_PERSONAL = {
    "an order's id": re.compile(r"\bFH\W{0,2}\d{3,}", re.I),
    "an e-mail address": re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.I),
    "a telephone or card number": re.compile(r"(?<![\w.,])\+?\d(?:[ ().-]{0,2}\d){8,18}(?!\w)"),
    "a postcode": re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"),
}


class PersonalAnswer(ValueError):  # noqa: N818 - the name says what was refused
    """A question or answer about one customer must not be stored for everybody."""


@dataclass(frozen=True)
class Hit:
    """A cached answer; `question` is the one it was stored for, `similarity` at most 1."""

    answer: str
    how: How
    similarity: float
    question: str


class _Key(NamedTuple):
    scope: str
    version: str
    question: str


@dataclass
class _Entry:
    answer: str
    stored_at: float
    """By the caller's clock, as the file has it: tells another process's entry from ours."""
    expires: float
    """By `_Elapsed`, which never goes back."""


class _Elapsed:
    """Seconds that never decrease: where the clock jumps back, they wait and then go on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._sum = 0.0

    def now(self) -> tuple[float, float]:
        """The clock's time, and the seconds elapsed."""
        now = self._clock()
        self._sum += max(0.0, now - self._last)
        self._last = now
        return now, self._sum


class _Shelf:
    """The entries of one scope and version: an index of normalised words, and a matrix."""

    def __init__(self) -> None:
        self.by_words: dict[str, _Key] = {}
        self.keys: list[_Key] = []
        self._rows: dict[_Key, int] = {}
        self._matrix: _Vector = np.empty((0, 0), np.float32)

    def add(self, key: _Key, vector: _Vector | None) -> None:
        self.remove(key)
        self.by_words[plain(key.question)] = key
        if vector is None:
            return
        row = len(self.keys)
        if not row:
            self._matrix = np.empty((16, len(vector)), np.float32)
        elif len(vector) != self._matrix.shape[1]:
            return  # of another embedding model: found by its words only
        elif row == len(self._matrix):
            self._matrix = np.concatenate([self._matrix, np.empty_like(self._matrix)])
        self._matrix[row] = vector
        self.keys.append(key)
        self._rows[key] = row

    def remove(self, key: _Key) -> None:
        words = plain(key.question)
        if self.by_words.get(words) == key:
            del self.by_words[words]
        row = self._rows.pop(key, None)
        if row is None:
            return
        last = self.keys.pop()
        if last != key:  # the last row fills the gap
            self.keys[row], self._rows[last] = last, row
            self._matrix[row] = self._matrix[len(self.keys)]

    def nearest(self, vector: _Vector) -> list[tuple[_Key, float]]:
        """The most similar questions with their cosine, nearest first."""
        if not self.keys or len(vector) != self._matrix.shape[1]:
            return []
        cosines = self._matrix[: len(self.keys)] @ vector
        best = np.argsort(-cosines)[:_TRIED]
        return [(self.keys[row], min(1.0, float(cosines[row]))) for row in best]


class AnswerCache:
    """Exact, then normalised, then semantic; scoped, versioned, expiring, bounded.

    `counts` has how often a question was answered by which step, "miss" otherwise, and "failed"
    for questions that could not be embedded. All methods may be called from several threads, and
    several processes may share one file.
    """

    def __init__(
        self,
        *,
        embeddings: Embeddings | None = None,
        threshold: float = 0.75,
        most: int = 10_000,
        ttl_s: float = 86_400,
        clock: Callable[[], float] = time.time,
        path: Path | None = None,
    ) -> None:
        """Open the cache, with what a file at `path` holds.

        Args:
            embeddings: without them there is no semantic step.
            threshold: the least cosine of a semantic hit, over 0 and at most 1.
            most: entries kept; the one longest unused is dropped first.
            ttl_s: seconds after which an entry is not served any more.
            clock: seconds since 1970.
            path: a file that keeps the entries. A damaged one is set aside with a warning.
        """
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold is a cosine over 0 and at most 1, not {threshold}.")
        if most < 1 or not ttl_s > 0:
            raise ValueError(
                f"A cache keeps at least 1 entry for more than 0 s, not {most} for {ttl_s}."
            )
        self._embeddings, self._threshold = embeddings, threshold
        self._most, self._ttl = most, ttl_s
        self._elapsed = _Elapsed(clock)
        self._lock = threading.RLock()
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._shelves: dict[tuple[str, str], _Shelf] = {}
        self._versions: dict[str, set[str]] = {}
        self._next_expiry = float("inf")
        self.counts: Counter[str] = Counter()
        self._file = CacheFile(path) if path is not None else None
        with self._lock:
            self._take_in(*self._elapsed.now())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: str, *, customer: str | None, version: str) -> Hit | None:
        """The answer to this question, or None.

        A customer is served their own entries and the public ones; the public, only public ones.
        """
        scopes = list(dict.fromkeys([_scope(customer), _scope(None)]))
        with self._lock:
            self._refresh()
            hit = self._by_words(question, scopes, version)
            shelves = [(scope, version) in self._shelves for scope in scopes]
        if hit is None and any(shelves):
            vector = self._embed(question)
            with self._lock:
                hit = (
                    None if vector is None else self._by_meaning(question, vector, scopes, version)
                )
        with self._lock:
            self.counts["miss" if hit is None else hit.how] += 1
        return hit

    def put(
        self, question: str, answer: str, *, customer: str | None, version: str, checked: bool
    ) -> None:
        """Store a checked answer; one that is not checked is left out.

        The scope's entries of other versions are dropped: what they were made from is gone.

        Raises:
            PersonalAnswer: before anything is stored, for an order's id, an e-mail address, a
                telephone or card number or a postcode that would be public.
        """
        scope = _scope(customer)
        if customer is None:
            for text in (normalised(question), normalised(answer)):
                for what, pattern in _PERSONAL.items():
                    if pattern.search(text):
                        raise PersonalAnswer(
                            f"The question or answer has {what}: store it under its customer "
                            "(customer=...), or not at all."
                        )
        if checked is not True or not question.strip():
            return
        vector = self._embed(question)
        key = _Key(scope, version, question)
        with self._lock:
            now, elapsed = self._refresh()
            if self._versions.get(scope, set()) - {version}:
                for other in [one for one in self._entries if one.scope == scope]:
                    if other.version != version:
                        self._drop(other)
                self._versions[scope] = {version}
            self._add(key, answer, vector, stored_at=now, expires=elapsed + self._ttl)
            if self._file is not None:
                blob = None if vector is None else vector.tobytes()
                self._file.write(Row(*key, answer, now, blob))
            while len(self._entries) > self._most:
                self._drop(next(iter(self._entries)))

    def close(self) -> None:
        """Close the file; what was put is in it already."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def _by_words(self, question: str, scopes: list[str], version: str) -> Hit | None:
        for scope in scopes:
            if (key := _Key(scope, version, question)) in self._entries:
                return self._serve(key, "exact", 1.0)
        for scope in scopes:
            shelf = self._shelves.get((scope, version))
            found = shelf.by_words.get(plain(question)) if shelf else None
            if found is not None and same_question(question, found.question):
                return self._serve(found, "normalised", 1.0)
        return None

    def _by_meaning(
        self, question: str, vector: _Vector, scopes: list[str], version: str
    ) -> Hit | None:
        for scope in scopes:
            shelf = self._shelves.get((scope, version))
            for key, cosine in shelf.nearest(vector) if shelf else ():
                if cosine >= self._threshold and same_question(question, key.question):
                    return self._serve(key, "semantic", cosine)
        return None

    def _serve(self, key: _Key, how: How, similarity: float) -> Hit:
        self._entries.move_to_end(key)
        return Hit(self._entries[key].answer, how, similarity, key.question)

    def _embed(self, question: str) -> _Vector | None:
        if self._embeddings is None:
            return None
        try:
            vector = np.asarray(self._embeddings.embed_query(question), np.float32)
        except Exception:  # any provider's error: a cache must not cost the customer the answer
            log.warning("A question could not be embedded: no semantic step.", exc_info=True)
            with self._lock:
                self.counts["failed"] += 1
            return None
        length = float(np.linalg.norm(vector))
        return vector / length if length > 0 and np.isfinite(length) else None

    def _refresh(self) -> tuple[float, float]:
        """Take in what other processes wrote, drop what has expired; the time."""
        now, elapsed = self._elapsed.now()
        if self._file is not None and self._file.changed():
            self._take_in(now, elapsed)
        if elapsed >= self._next_expiry:
            for key in [one for one, entry in self._entries.items() if entry.expires <= elapsed]:
                self._drop(key)
            left = (entry.expires for entry in self._entries.values())
            self._next_expiry = min(left, default=float("inf"))
        return now, elapsed

    def _take_in(self, now: float, elapsed: float) -> None:
        if self._file is None:
            return
        rows = self._file.read()
        if rows is None:
            return  # could not be read now: keep what is in memory
        seen = set()
        for row in rows:
            key = _Key(row.scope, row.version, row.question)
            seen.add(key)
            known = self._entries.get(key)
            if known is not None and known.stored_at == row.stored_at:
                continue
            age = now - row.stored_at
            if not 0 <= age < self._ttl:  # from a future that the clock has not reached: not kept
                self._drop(key)
                if known is None:
                    self._file.delete(*key)
                continue
            vector = None if row.vector is None else np.frombuffer(row.vector, np.float32)
            expires = elapsed + self._ttl - age
            self._add(key, row.answer, vector, stored_at=row.stored_at, expires=expires)
        for key in [one for one in self._entries if one not in seen]:
            self._forget(key)
        while len(self._entries) > self._most:
            self._drop(next(iter(self._entries)))

    def _add(self, key: _Key, answer: str, vector: _Vector | None, **times: Any) -> None:
        entry = self._entries[key] = _Entry(answer, **times)
        self._next_expiry = min(self._next_expiry, entry.expires)
        self._versions.setdefault(key.scope, set()).add(key.version)
        self._entries.move_to_end(key)
        self._shelves.setdefault((key.scope, key.version), _Shelf()).add(key, vector)

    def _forget(self, key: _Key) -> bool:
        if self._entries.pop(key, None) is None:
            return False
        shelf = self._shelves[key.scope, key.version]
        shelf.remove(key)
        if not shelf.by_words and not shelf.keys:
            del self._shelves[key.scope, key.version]
            versions = self._versions[key.scope]
            versions.discard(key.version)
            if not versions:
                del self._versions[key.scope]
        return True

    def _drop(self, key: _Key) -> None:
        if self._forget(key) and self._file is not None:
            self._file.delete(*key)


def _scope(customer: str | None) -> str:
    """The public, or a customer; no customer's id can read as the public's."""
    if customer is None:
        return "public"
    if not customer.strip():
        raise ValueError("An empty customer is no customer: give an id, or None for the public.")
    return f"customer {customer}"
