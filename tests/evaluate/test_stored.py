"""A stored run is read only where it is of this agent, says what it is, and is never lost."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helpers.evaluate import Call, Run, Version, stored
from helpers.evaluate.stored import Item, Step, StoredRun, StoredRunError, read, write
from helpers.evaluate.stored_answers import as_item, as_run, run_or_read, spot_check
from helpers.evaluate.version import AGENT
from helpers.shop import document, questions
from tests.evaluate import make

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
MINE, OTHER = Version({"prompt": "a", "code": "b"}), Version({"prompt": "a", "code": "c"})
KEYS = [f"q{number}" for number in range(5)]


class Asker:
    """Answers each question with its own words, and notes which were asked."""

    def __init__(self, words: str = "Yes.") -> None:
        self.asked: list[str] = []
        self._words = words

    def __call__(self, key: str) -> Item:
        self.asked.append(key)
        return Item({"answer": f"{key}: {self._words}"}, 1.0, 2.0)


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the course's stored runs; a learner's own are in another one."""
    folder = tmp_path / "given"
    monkeypatch.setattr(stored, "STORED_RUNS", folder)
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "own"))
    return folder


@pytest.fixture
def own(given: Path) -> Path:
    return given.parent / "own"


def whole(version: Version = MINE, *, complete: bool = True, words: str = "Yes.") -> StoredRun:
    answers = {key: Item({"answer": f"{key}: {words}"}, 30.0, 40.0) for key in KEYS}
    return StoredRun("02-agent", version, NOW, 2, complete, {"": answers})


def step(said: list[str], *, live: bool = False, version: Version = MINE) -> Step:
    return Step("02-agent", version=version, live=live, say=said.append)


def test_a_stored_run_of_this_version_is_read_and_named_as_one(given: Path) -> None:
    write(whole(), given)
    said: list[str] = []
    ask = Asker()
    found = step(said).answers(KEYS, ask)
    assert [item.content["answer"] for item in found] == [f"{key}: Yes." for key in KEYS]
    assert ask.asked == []
    (sentence,) = said
    assert sentence.startswith("Stored run 02-agent: not asked just now, but on 27 November 2026")
    for part in (MINE.digest, "3.3 minutes", "150 CPU seconds", "2 cores", "course runs 02-agent"):
        assert part in sentence


def test_the_version_that_is_named_is_the_agent_s(given: Path) -> None:
    agent = Version(dict.fromkeys(AGENT, "a"))
    version = Version({**agent.parts, "releases": "b"})
    write(whole(version), given)
    said: list[str] = []
    step(said, version=version).answers(KEYS, Asker())
    assert agent.digest in said[0]
    assert version.digest not in said[0]


def test_a_stale_run_is_named_and_not_used(given: Path) -> None:
    write(whole(OTHER), given)
    said: list[str] = []
    ask = Asker("Now.")
    found = step(said).answers(KEYS, ask)
    assert ask.asked == KEYS
    assert found[0].content["answer"] == "q0: Now."
    (sentence,) = said
    assert "is stale" in sentence
    assert "It is not used" in sentence
    for part in (MINE.digest, OTHER.digest, "code", "3.3 minutes", "course runs 02-agent"):
        assert part in sentence
    assert "prompt" not in sentence


@pytest.mark.parametrize("words", ["Yes.", "No."])
def test_some_are_asked_again_and_decide(given: Path, words: str) -> None:
    write(whole(), given)
    said: list[str] = []
    ask = Asker(words)
    step(said).answers(KEYS, ask, spot=["q1", "q3"])
    if words == "Yes.":
        assert ask.asked == ["q1", "q3"]
        assert "Of 5 questions 2 were asked again just now: same answers." in said[0]
    else:
        assert ask.asked == ["q1", "q3", *KEYS]
        assert "is not of this agent" in said[0]
        assert "2 of 2 questions got another answer (q1)" in said[0]


def test_what_is_asked_is_kept_and_read_the_next_time(given: Path, own: Path) -> None:
    ask, said = Asker(), list[str]()
    step(said).answers(KEYS, ask)
    assert said == []
    again = Asker()
    step(said).answers(KEYS, again)
    assert again.asked == []
    assert said[0].startswith("Your own stored run 02-agent")
    assert said[0].endswith("course runs 02-agent --anew")
    assert not given.exists(), "nobody but an author changes what comes with the course"


def test_live_leaves_the_course_s_run_aside(given: Path) -> None:
    write(whole(), given)
    ask, said = Asker(), list[str]()
    step(said, live=True).answers(KEYS, ask)
    assert ask.asked == KEYS


@pytest.mark.parametrize(("value", "asked"), [("1", KEYS), ("0", []), ("", [])])
def test_so_does_course_live_for_every_step(
    given: Path, monkeypatch: pytest.MonkeyPatch, value: str, asked: list[str]
) -> None:
    write(whole(), given)
    monkeypatch.setenv("COURSE_LIVE", value)
    ask = Asker()
    step([]).answers(KEYS, ask)
    assert ask.asked == asked


@pytest.mark.parametrize("problem", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_goes_on_where_it_stopped(
    given: Path, problem: type[BaseException]
) -> None:
    def broken(key: str) -> Item:
        if key == "q3":
            raise problem
        return Asker()(key)

    with pytest.raises(problem):
        step([]).answers(KEYS, broken)
    ask, said = Asker(), list[str]()
    found = step(said).answers(KEYS, ask)
    assert ask.asked == ["q3", "q4"]
    assert said == [], "what was not finished is no stored run"
    assert len(found) == 5


def test_an_interrupted_run_of_another_agent_does_not_go_on(given: Path, own: Path) -> None:
    begun = whole(complete=False, words="Old.")
    del begun.sections[""]["q4"]
    write(begun, own)
    ask, said = Asker("New."), list[str]()
    found = step(said).answers(KEYS, ask, spot=["q0"])
    assert ask.asked == ["q0", *KEYS]
    assert {item.content["answer"][4:] for item in found} == {"New."}


@pytest.mark.parametrize("complete", [True, False])
def test_a_run_that_lacks_a_question_is_not_taken_for_whole(given: Path, complete: bool) -> None:
    short = whole(complete=complete)
    del short.sections[""]["q2"]
    write(short, given)
    ask = Asker()
    assert len(step([]).answers(KEYS, ask)) == 5
    assert ask.asked == KEYS


def test_what_may_not_be_kept_is_asked_again(given: Path) -> None:
    first = Asker("Timeout.")
    step([]).answers(KEYS, first, keep=lambda item: not item.content["answer"].startswith("q2"))
    again = Asker()
    found = step([]).answers(KEYS, again)
    assert again.asked == ["q2"]
    assert found[2].content["answer"] == "q2: Yes."


def test_sections_are_kept_apart_and_complete_with_the_last(given: Path, own: Path) -> None:
    first = step([])
    first.answers(KEYS, Asker("one"), section="a", last=False)
    assert not (read(own / "02-agent.json.gz") or whole()).complete
    first.answers(KEYS, Asker("two"), section="b")
    said: list[str] = []
    again = step(said)
    assert again.stored
    answers = [again.answers(KEYS, Asker(), section=name)[0].content["answer"] for name in "ab"]
    assert answers == ["q0: one", "q0: two"]
    assert len(said) == 1


def test_a_learner_s_own_run_comes_before_the_course_s(given: Path, own: Path) -> None:
    write(whole(words="Course."), given)
    write(whole(words="Mine."), own)
    assert step([]).answers(KEYS, Asker())[0].content["answer"] == "q0: Mine."


def test_the_course_s_run_is_named_as_one_also_after_a_learner_s_was_refused(
    given: Path, own: Path
) -> None:
    write(whole(words="Course."), given)
    write(whole(words="Mine."), own)
    said: list[str] = []
    found = step(said).answers(KEYS, Asker("Course."), spot=["q1"])
    assert found[0].content["answer"] == "q0: Course."
    assert "is not of this agent" in said[0]
    assert said[1].startswith("Stored run 02-agent: not asked just now")


def test_equal_answers_are_written_once(tmp_path: Path) -> None:
    run = StoredRun("02-agent", MINE, NOW, 2, True)
    run.sections = {
        name: {key: Item({"answer": "x" * 1000}, 1, 1) for key in KEYS} for name in ("a", "b")
    }
    path = write(run, tmp_path)
    assert path.stat().st_size < 2000
    assert read(path) == run


TEXTS = [b"{", b"[]", b'{"name": "02-agent"}', b"\xff"]
# Without the time of packing: the workers of a run must name the same tests.
PACKED = [gzip.compress(text, mtime=0) for text in TEXTS]


@pytest.mark.parametrize("content", [b"", b"{", b"\x1f\x8b", *PACKED])
def test_a_file_that_cannot_be_read_says_what_to_do(given: Path, content: bytes) -> None:
    given.mkdir()
    (given / "02-agent.json.gz").write_bytes(content)
    with pytest.raises(StoredRunError, match=r"02-agent\.json\.gz.*remove .* or restore"):
        step([])


@pytest.mark.parametrize("name", ["agent", "2-agent", "02 agent", "02-Agent", "../02-agent"])
def test_a_name_that_is_no_step_is_refused(given: Path, name: str) -> None:
    with pytest.raises(ValueError, match="names no step"):
        Step(name, version=MINE)


def some_runs() -> list[Run]:
    asked = questions("dev")[:3]
    first = asked[0]
    page = document(str(first.document))
    call = Call("search_documents", {"query": first.question}, "Returns: 30 days.")
    plain = make.run("You have 30 days.", call, question_id=first.id)
    return [
        replace(plain, documents=(page.id,), passages=(page.text,), wall_seconds=2.5),
        replace(plain, question_id=asked[1].id, documents=(page.id,), passages=("a part of it",)),
        replace(make.run(status="timeout", tokens=None), question_id=asked[2].id),
    ]


@pytest.mark.parametrize("place", range(3))
def test_a_run_is_what_it_was_after_it_was_stored(place: int, tmp_path: Path) -> None:
    question, run = questions("dev")[place], some_runs()[place]
    stored_run = StoredRun("02-agent", MINE, NOW, 2, True, {"": {question.id: as_item(run)}})
    found = read(write(stored_run, tmp_path))
    assert found is not None
    assert as_run(question, found.sections[""][question.id]) == run


def test_the_text_of_a_whole_document_is_not_stored() -> None:
    assert "passages" not in as_item(some_runs()[0]).content
    assert "passages" in as_item(some_runs()[1]).content


@pytest.mark.parametrize("count", [1, 2, 80])
def test_the_spot_check_changes_nothing(count: int) -> None:
    some = spot_check(questions("dev")[:count])
    assert 1 <= len(some) <= 3
    assert all(one.document and not one.order for one in some)
    assert not any(call.name == "issue_refund" for one in some for call in one.tools)


def test_an_agent_s_own_answers_are_read_back(
    given: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = questions("dev")[:6]
    calls = []

    def ask(agent: str, question: object) -> Run:
        calls.append(question)
        return replace(make.run(agent), question_id=question.id)  # type: ignore[attr-defined]

    monkeypatch.setenv("COURSE_FAST", "")
    monkeypatch.setattr("helpers.evaluate.stored_answers.ask", ask)
    first = run_or_read("02-agent", "thirty", asked)  # type: ignore[arg-type]
    assert len(calls) == 6
    assert run_or_read("02-agent", "thirty", asked) == first  # type: ignore[arg-type]
    assert len(calls) == 6 + 3
    assert "Your own stored run 02-agent" in capsys.readouterr().out
    other = run_or_read("02-agent", "forty", asked)  # type: ignore[arg-type]
    assert [run.answer for run in other] == ["forty"] * 6
    assert "is not of this agent" in capsys.readouterr().out


def test_in_fast_mode_nothing_is_read_or_kept(
    given: Path, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = questions("dev")[:2]
    monkeypatch.setenv("COURSE_FAST", "1")
    monkeypatch.setattr("helpers.evaluate.stored_answers.run", lambda *_, **__: ["live"])
    assert run_or_read("02-agent", "agent", asked) == ["live"]  # type: ignore[arg-type, comparison-overlap]
    assert capsys.readouterr().out == ""
    assert not own.exists()
