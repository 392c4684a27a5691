"""The cache of answers: scope, version, age, size, its file."""

import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from helpers.cost.caches import AnswerCache, PersonalAnswer

QUESTION = "How long is the warranty?"


class Alike(Embeddings):
    """Every text has the same vector: only the guard keeps questions apart."""

    def embed_query(self, text: str) -> list[float]:
        return [3.0, 4.0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


class Broken(Alike):
    def embed_query(self, text: str) -> list[float]:
        raise RuntimeError("down")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def put(cache: AnswerCache, question: str = QUESTION, answer: str = "2 years", **more: object):
    given = {"customer": None, "version": "1", "checked": True, **more}
    cache.put(question, answer, **given)  # type: ignore[arg-type]


def got(cache: AnswerCache, question: str = QUESTION, customer: str | None = None) -> str | None:
    hit = cache.get(question, customer=customer, version="1")
    return hit and hit.answer


def test_steps_are_counted() -> None:
    cache = AnswerCache(embeddings=Alike())
    put(cache)
    hows = [
        cache.get(text, customer=None, version="1")
        for text in (QUESTION, "please: how long is THE warranty", "the duration of the warranty?")
    ]
    assert [hit.how if hit else None for hit in hows] == ["exact", "normalised", "semantic"]
    assert got(cache, "How long is the rental?") is None
    assert dict(cache.counts) == {"exact": 1, "normalised": 1, "semantic": 1, "miss": 1}


@given(
    owner=st.text(min_size=1).filter(str.strip),
    other=st.none() | st.text(min_size=1).filter(str.strip),
    question=st.text(min_size=1).filter(str.strip),
)
def test_nothing_is_cached_across_customers(owner: str, other: str | None, question: str) -> None:
    cache = AnswerCache(embeddings=Alike())
    put(cache, question, "secret", customer=owner)
    assert got(cache, question, owner) == "secret"
    for text in (question, question.upper(), f" {question} please"):
        if other != owner:
            assert got(cache, text, other) is None
        assert got(cache, text, None) is None


def test_a_customer_is_served_public_answers() -> None:
    cache = AnswerCache()
    put(cache)
    assert got(cache, customer="anna") == "2 years"


@pytest.mark.parametrize("name", ["public", "customer public", "None"])
def test_a_customers_name_is_never_the_public(name: str) -> None:
    cache = AnswerCache()
    put(cache, customer=name)
    assert got(cache) is None


@pytest.mark.parametrize(
    "personal",
    [
        "FH-10904",
        "fh 10904",
        "FH\u201110904",
        "a.b@example.org",
        "07700 900123",
        "4111 1111 1111 1111",
        "BS1 4ST",
    ],
)
def test_personal_data_is_not_stored_for_all(personal: str) -> None:
    cache = AnswerCache()
    with pytest.raises(PersonalAnswer, match="customer"):
        put(cache, f"Where is {personal}?")
    with pytest.raises(PersonalAnswer):
        put(cache, answer=f"It is {personal}.")
    assert len(cache) == 0
    put(cache, f"Where is {personal}?", customer="anna")
    assert len(cache) == 1


def test_unchecked_is_not_stored() -> None:
    cache = AnswerCache()
    put(cache, checked=False)
    assert len(cache) == 0


def test_a_new_version_drops_the_old() -> None:
    cache = AnswerCache(embeddings=Alike())
    put(cache)
    put(cache, "Is it blue?", version="2")
    assert len(cache) == 1
    assert got(cache) is None


def test_it_expires_whichever_way_the_clock_jumps() -> None:
    clock = Clock()
    cache = AnswerCache(ttl_s=100, clock=clock)
    put(cache)
    clock.now -= 5_000
    assert got(cache) == "2 years"
    for _ in range(3):
        clock.now += 40
        got(cache)
        clock.now -= 40
        got(cache)
    assert got(cache) is None
    put(cache)
    clock.now += 1e9
    assert got(cache) is None


def test_a_file_from_the_future_is_not_served(tmp_path: Path) -> None:
    clock = Clock()
    put(AnswerCache(clock=clock, path=tmp_path / "cache"))
    clock.now -= 1
    assert len(AnswerCache(clock=clock, path=tmp_path / "cache")) == 0


def test_the_longest_unused_goes_first() -> None:
    cache = AnswerCache(most=2)
    put(cache, "red?")
    put(cache, "blue?")
    got(cache, "red?")
    put(cache, "green?")
    assert [got(cache, text) for text in ("red?", "blue?", "green?")] == [
        "2 years",
        None,
        "2 years",
    ]


def test_a_failing_embedding_costs_no_answer() -> None:
    cache = AnswerCache(embeddings=Broken())
    put(cache)
    assert got(cache) == "2 years"
    assert got(cache, "another") is None
    assert cache.counts["failed"] >= 1


def test_the_file_keeps_entries_and_vectors(tmp_path: Path) -> None:
    put(AnswerCache(embeddings=Alike(), path=tmp_path / "cache"))
    cache = AnswerCache(embeddings=Alike(), path=tmp_path / "cache")
    hit = cache.get("the duration of the warranty?", customer=None, version="1")
    assert hit is not None
    assert hit.how == "semantic"


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_bytes(b"no database" * 1000)
    with pytest.warns(UserWarning, match="damaged-1"):
        cache = AnswerCache(path=path)
    assert (tmp_path / "cache.damaged-1").read_bytes().startswith(b"no database")
    put(cache)
    assert len(AnswerCache(path=path)) == 1


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    cache = AnswerCache(path=tmp_path / "cache")
    code = (
        "import sys; from pathlib import Path; from helpers.cost.caches import AnswerCache\n"
        "cache = AnswerCache(path=Path(sys.argv[1]))\n"
        "for n in range(20): cache.put(f'colour {n}?', 'red', customer=None, version='1', "
        "checked=True)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "cache")])
    for number in range(20):
        put(cache, f"size {number}?")
    assert other.wait(60) == 0
    assert got(cache, "colour 19?") == "red"
    assert len(AnswerCache(path=tmp_path / "cache")) == 40


def test_threads() -> None:
    cache = AnswerCache(embeddings=Alike(), most=20)

    def work(name: str) -> None:
        for number in range(30):
            put(cache, f"{name} {number}?", customer=name)
            assert got(cache, f"{name} {number}?", name) in {"2 years", None}

    threads = [Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 20


@pytest.mark.parametrize("wrong", [{"threshold": 0}, {"most": 0}, {"ttl_s": 0}])
def test_bad_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at"):
        AnswerCache(**wrong)  # type: ignore[arg-type]


def test_an_empty_customer_is_no_customer() -> None:
    with pytest.raises(ValueError, match="None for the public"):
        AnswerCache().get(QUESTION, customer=" ", version="1")
