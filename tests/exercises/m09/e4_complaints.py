"""Answers to exercise 09.4, most of them a right one with a part that is another."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from helpers.authoring.answers import right, wrong

BAD = 'and(eq(feedback_key, "helpful"), eq(feedback_score, 0))'
EQUIVALENT: dict[str, str] = {}


class Parts:
    """A right answer in parts, of which a faulty one replaces some."""

    most = 10
    roots: bool | None = True
    keys: list[str] | None = ["helpful"]  # noqa: RUF012

    def __call__(self, client: Client, project: str, name: str) -> Any:
        corrected = self.corrected(client, project)
        there = self.there(client, name)
        new = self.chosen(corrected, there)
        if new:
            client.create_examples(dataset_name=name, examples=new)

    def corrected(self, client: Client, project: str) -> list[tuple[Any, dict[str, Any]]]:
        """Runs and corrections, in the order in which they are taken."""
        runs = list(client.list_runs(project_name=project, is_root=self.roots))
        ids = [run.id for run in runs]
        said: dict[Any, list[Any]] = {run_id: [] for run_id in ids}
        for start in range(0, len(ids), 50):
            some = ids[start : start + 50]
            for one in client.list_feedback(run_ids=some, feedback_key=self.keys):
                said[one.run_id].append(one)
        found = []
        for run in self.ordered(runs):
            one = self.counts(sorted(said[run.id], key=lambda one: one.created_at))
            if one and self.complains(one) and self.says(one.correction):
                found.append((run, one.correction))
        return found

    def ordered(self, runs: Iterable[Any]) -> list[Any]:
        return sorted(runs, key=lambda run: run.start_time, reverse=True)

    def counts(self, said: list[Any]) -> Any:
        return said[-1] if said else None

    def complains(self, one: Any) -> bool:
        return bool(one.score == 0)

    def says(self, correction: Any) -> bool:
        return bool(correction) and "answer" in correction

    def there(self, client: Client, name: str) -> list[Any]:
        if not client.has_dataset(dataset_name=name):
            client.create_dataset(name)
        return list(client.list_examples(dataset_name=name))

    def chosen(self, corrected: list[tuple[Any, dict[str, Any]]], there: list[Any]) -> list[Any]:
        seen = {self.plain((one.inputs or {}).get("question", "")) for one in there}
        new: list[Any] = []
        for run, correction in corrected:
            same = self.plain(run.inputs["question"])
            if same not in seen and self.room(there, new):
                seen.add(same)
                new.append(self.example(run, correction))
        return new

    def room(self, there: list[Any], new: list[Any]) -> bool:
        return len(there) + len(new) < self.most

    def plain(self, question: str) -> str:
        return " ".join(question.split()).casefold()

    def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
        return {
            "inputs": {"question": run.inputs["question"]},
            "outputs": {"answer": correction["answer"]},
            "source_run_id": run.id,
        }


@wrong("It does nothing.", slip="no-dataset")
def nothing() -> object:
    return lambda client, project, name: None


@wrong("An empty dataset.", slip="empty")
def empty() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: Any) -> list[Any]:
            return []

    return Wrong()


@wrong("The examples are returned, and not stored.", slip="no-dataset")
def returned() -> object:
    return lambda client, project, name: Parts().corrected(client, project)


@wrong("Praised answers that were corrected are complaints.", slip="praised")
def with_praise() -> object:
    class Wrong(Parts):
        def complains(self, one: Any) -> bool:
            return True

    return Wrong()


@wrong("No score is taken for a bad one.")
def without_score() -> object:
    class Wrong(Parts):
        def complains(self, one: Any) -> bool:
            return not one.score

    return Wrong()


@wrong("Any key.", slip="other-key")
def any_key() -> object:
    class Wrong(Parts):
        keys = None

    return Wrong()


@wrong("Runs below a request count.", slip="below")
def runs_below() -> object:
    class Wrong(Parts):
        roots = None

        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            made = {"outputs": correction, "source_run_id": run.id}
            return {"inputs": {"question": run.inputs.get("question", "?")}, **made}

        def chosen(self, corrected: Any, there: Any) -> list[Any]:
            for run, _ in corrected:
                run.inputs.setdefault("question", "?")
            return super().chosen(corrected, there)

    return Wrong()


@wrong("The agent's words, which were wrong.", slip="agents-words")
def the_agents_words() -> object:
    class Wrong(Parts):
        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            return {"inputs": run.inputs, "outputs": run.outputs, "source_run_id": run.id}

    return Wrong()


@wrong("The whole correction.", slip="whole-correction")
def whole_correction() -> object:
    class Wrong(Parts):
        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            return {**super().example(run, correction), "outputs": correction}

    return Wrong()


@wrong("Nobody knows where the examples come from.", slip="no-source")
def without_source() -> object:
    class Wrong(Parts):
        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            made = super().example(run, correction)
            del made["source_run_id"]
            return made

    return Wrong()


@wrong("The question without what does not count.", slip="tidied")
def tidied() -> object:
    class Wrong(Parts):
        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            made = super().example(run, correction)
            return {**made, "inputs": {"question": " ".join(run.inputs["question"].split())}}

    return Wrong()


@wrong("The first feedback of a run counts.", slip="first-feedback")
def first_feedback() -> object:
    class Wrong(Parts):
        def counts(self, said: list[Any]) -> Any:
            return said[0] if said else None

    return Wrong()


@wrong("Any complaint counts, whatever came after it.", slip="any-complaint")
def any_complaint() -> object:
    class Wrong(Parts):
        def counts(self, said: list[Any]) -> Any:
            bad = [one for one in said if one.score == 0 and self.says(one.correction)]
            return bad[-1] if bad else None

    return Wrong()


@wrong("Feedback in the order in which it comes.")
def as_it_comes() -> object:
    class Wrong(Parts):
        def corrected(self, client: Client, project: str) -> list[tuple[Any, dict[str, Any]]]:
            runs = list(client.list_runs(project_name=project, is_root=True, filter=BAD))
            said = client.list_feedback(run_ids=[run.id for run in runs], feedback_key=["helpful"])
            right: Any = {one.run_id: one.correction for one in said if self.says(one.correction)}
            return [(run, right[run.id]) for run in self.ordered(runs) if run.id in right]

    return Wrong()


@wrong("strip() alone: spaces between words count.", slip="inner-spaces")
def inner_spaces() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return question.strip().casefold()

    return Wrong()


@wrong("All spaces are dropped.")
def no_spaces() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return "".join(question.split()).casefold()

    return Wrong()


@wrong("lower() keeps ß.")
def lower() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return " ".join(question.split()).lower()

    return Wrong()


@wrong("Question marks do not count.")
def without_marks() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return " ".join(question.strip().rstrip("?").split()).casefold()

    return Wrong()


@wrong("As it is written.", slip="inner-spaces")
def as_written() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return question

    return Wrong()


@wrong("The oldest stays.", slip="oldest")
def oldest() -> object:
    class Wrong(Parts):
        def ordered(self, runs: Iterable[Any]) -> list[Any]:
            return sorted(runs, key=lambda run: run.start_time)

    return Wrong()


@wrong("The order in which they come.")
def no_order() -> object:
    class Wrong(Parts):
        def ordered(self, runs: Iterable[Any]) -> list[Any]:
            return list(runs)

    return Wrong()


@wrong("A newer complaint without a correction hides its question.")
def hidden() -> object:
    class Wrong(Parts):
        def says(self, correction: Any) -> bool:
            return True

        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            seen, some = set(), []
            for run, correction in corrected:
                if self.plain(run.inputs["question"]) not in seen:
                    seen.add(self.plain(run.inputs["question"]))
                    if super().says(correction):
                        some.append((run, correction))
            return super().chosen(some, there)

    return Wrong()


@wrong("Eleven.", slip="more-than-ten")
def eleven() -> object:
    class Wrong(Parts):
        most = 11

    return Wrong()


@wrong("Nine.")
def nine() -> object:
    class Wrong(Parts):
        most = 9

    return Wrong()


@wrong("Ten new ones, whatever is there.")
def ten_each_time() -> object:
    class Wrong(Parts):
        def room(self, there: list[Any], new: list[Any]) -> bool:
            return len(new) < 10

    return Wrong()


@wrong("The dataset is created in any case.", slip="created-again")
def created_again() -> object:
    class Wrong(Parts):
        def there(self, client: Client, name: str) -> list[Any]:
            client.create_dataset(name)
            return []

    return Wrong()


@wrong("What is there is not looked at.", slip="asked-again")
def not_looked_at() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            return super().chosen(corrected, [])

    return Wrong()


@wrong("A second call adds everything once more.", slip="added-again")
def added_again() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            return super().chosen(corrected, [one for one in there if not one.source_run_id])

    return Wrong()


@wrong("Runs are known by their ids, and questions are not looked at.", slip="asked-again")
def by_source_run() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            known = {one.source_run_id for one in there}
            some = [(run, right) for run, right in corrected if run.id not in known]
            return [self.example(run, right) for run, right in super_unique(self, some, there)]

    def super_unique(parts: Parts, some: list[Any], there: list[Any]) -> list[Any]:
        seen: set[str] = set()
        kept: list[Any] = []
        for run, correction in some:
            same = parts.plain(run.inputs["question"])
            if same not in seen and len(there) + len(kept) < 10:
                seen.add(same)
                kept.append((run, correction))
        return kept

    return Wrong()


@wrong("The dataset is deleted and made again.", slip="emptied")
def made_again() -> object:
    class Wrong(Parts):
        def there(self, client: Client, name: str) -> list[Any]:
            if client.has_dataset(dataset_name=name):
                client.delete_dataset(dataset_name=name)
            client.create_dataset(name)
            return []

    return Wrong()


@wrong("An empty list of examples is sent.")
def empty_list() -> object:
    class Wrong(Parts):
        def __call__(self, client: Client, project: str, name: str) -> Any:
            new = self.chosen(self.corrected(client, project), self.there(client, name))
            client.create_examples(dataset_name=name, examples=new)

    return Wrong()


@wrong("The first page of feedback alone.")
def one_page() -> object:
    class Wrong(Parts):
        def corrected(self, client: Client, project: str) -> list[tuple[Any, dict[str, Any]]]:
            runs = self.ordered(client.list_runs(project_name=project, is_root=True, filter=BAD))
            return self.only(super().corrected(client, project), {run.id for run in runs[:100]})

        def only(self, found: list[Any], ids: set[Any]) -> list[Any]:
            return [(run, right) for run, right in found if run.id in ids]

    return Wrong()


@wrong("Room is counted by what different questions are there.")
def room_by_questions() -> object:
    class Wrong(Parts):
        def room(self, there: list[Any], new: list[Any]) -> bool:
            return len({self.plain(one.inputs.get("question", "")) for one in there}) < 10 - len(
                new
            )

    return Wrong()


@wrong("Room is counted by the examples with a question.")
def room_by_examples_with_one() -> object:
    class Wrong(Parts):
        def room(self, there: list[Any], new: list[Any]) -> bool:
            return sum("question" in one.inputs for one in there) + len(new) < 10

    return Wrong()


@wrong("Requests that failed are left out.")
def without_failed() -> object:
    class Wrong(Parts):
        def ordered(self, runs: Iterable[Any]) -> list[Any]:
            return super().ordered(run for run in runs if not run.error)

    return Wrong()


@wrong("The request that ended last is the newest.")
def by_end() -> object:
    class Wrong(Parts):
        def ordered(self, runs: Iterable[Any]) -> list[Any]:
            return sorted(runs, key=lambda run: run.end_time, reverse=True)

    return Wrong()


@wrong("Ids are taken to be in the order of time.")
def by_id() -> object:
    class Wrong(Parts):
        def ordered(self, runs: Iterable[Any]) -> list[Any]:
            return sorted(runs, key=lambda run: run.id, reverse=True)

    return Wrong()


@wrong("The feedback that was changed last counts.")
def by_change() -> object:
    class Wrong(Parts):
        def counts(self, said: list[Any]) -> Any:
            return max(said, key=lambda one: one.modified_at, default=None)

    return Wrong()


@wrong("Capitals do not count in the key.")
def key_in_capitals() -> object:
    class Wrong(Parts):
        keys = None

        def counts(self, said: list[Any]) -> Any:
            return super().counts([one for one in said if one.key.lower() == "helpful"])

    return Wrong()


@wrong("Any key that begins so.")
def keys_that_begin_so() -> object:
    class Wrong(Parts):
        keys = None

        def counts(self, said: list[Any]) -> Any:
            return super().counts([one for one in said if one.key.startswith("helpful")])

    return Wrong()


@wrong("The answer without spaces at the ends.")
def stripped_answer() -> object:
    class Wrong(Parts):
        def example(self, run: Any, correction: dict[str, Any]) -> dict[str, Any]:
            made = super().example(run, correction)
            return {**made, "outputs": {"answer": correction["answer"].strip()}}

    return Wrong()


@wrong("A no-break space is no white space.")
def ascii_spaces() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return re.sub(r"\s+", " ", question, flags=re.ASCII).strip(" \n\t").casefold()

    return Wrong()


@wrong("Other forms of a letter are the letter.")
def normal_form() -> object:
    class Wrong(Parts):
        def plain(self, question: str) -> str:
            return super().plain(unicodedata.normalize("NFKC", question))

    return Wrong()


@wrong("The outputs have a question, too.")
def question_of_the_outputs() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            for one in there:
                one.inputs = {**(one.outputs or {}), **one.inputs}
            return super().chosen(corrected, there)

    return Wrong()


@wrong("Whatever comes first in the inputs is the question.")
def first_input() -> object:
    class Wrong(Parts):
        def chosen(self, corrected: Any, there: list[Any]) -> list[Any]:
            for one in there:
                one.inputs = {"question": next(iter(one.inputs.values()), "")}
            return super().chosen(corrected, there)

    return Wrong()


@wrong("A dataset whose name begins so is taken for this one.")
def longer_name() -> object:
    class Wrong(Parts):
        def there(self, client: Client, name: str) -> list[Any]:
            if not any(client.list_datasets(dataset_name_contains=name)):
                client.create_dataset(name)
            return list(client.list_examples(dataset_name=name))

    return Wrong()


@right("In parts, with all requests and their feedback in pieces of 50.")
def in_parts() -> object:
    return Parts()


@right("Each run's own feedback, one request a run, and examples one by one.")
def one_by_one() -> object:
    def curate(client: Client, project: str, name: str) -> str:
        try:
            dataset = client.read_dataset(dataset_name=name)
        except LangSmithNotFoundError:
            dataset = client.create_dataset(name, description="Complaints")
        there = list(client.list_examples(dataset_id=dataset.id))
        seen = {same((one.inputs or {}).get("question")) for one in there}
        room = 10 - len(there)
        runs = list(client.list_runs(project_name=project, is_root=True, filter=BAD))
        for run in sorted(runs, key=lambda run: run.dotted_order or "", reverse=True):
            said = list(client.list_feedback(run_ids=[run.id], feedback_key=["helpful"]))
            last = max(said, key=lambda one: one.created_at)
            answer = (last.correction or {}).get("answer") if not last.score else None  # type: ignore[union-attr]
            if last.score is None or answer is None or same(run.inputs["question"]) in seen:
                continue
            if room > 0:
                room -= 1
                seen.add(same(run.inputs["question"]))
                client.create_example(
                    inputs=run.inputs,
                    outputs={"answer": answer},
                    dataset_id=dataset.id,
                    source_run_id=run.id,
                )
        return name

    def same(question: str | None) -> list[str] | None:
        return tuple(question.casefold().split()) if question else None  # type: ignore[return-value]

    return curate


@right("Sorted and chosen with pandas.")
def with_pandas() -> object:
    import pandas as pd

    class Right(Parts):
        def chosen(self, corrected: list[tuple[Any, dict[str, Any]]], there: list[Any]) -> Any:
            rows = [
                {"at": run.start_time, "same": self.plain(run.inputs["question"]), "n": n}
                for n, (run, _) in enumerate(corrected)
            ]
            frame = pd.DataFrame(rows, columns=["at", "same", "n"])
            frame = frame.sort_values("at", ascending=False).drop_duplicates("same")
            held = {self.plain((one.inputs or {}).get("question", "")) for one in there}
            frame = frame[~frame["same"].isin(held)].head(max(0, 10 - len(there)))
            return [self.example(*corrected[n]) for n in frame["n"]]

    return Right()


@right("All corrected complaints are collected first, and the oldest are dropped at the end.")
def dropped_at_the_end() -> object:
    class Right(Parts):
        def chosen(self, corrected: list[tuple[Any, dict[str, Any]]], there: list[Any]) -> Any:
            newest: dict[str, Any] = {}
            for run, correction in reversed(corrected):
                same = self.plain(run.inputs["question"])
                newest.pop(same, None)
                newest[same] = self.example(run, correction)
            for one in there:
                newest.pop(self.plain((one.inputs or {}).get("question", "")), None)
            room = max(0, 10 - len(there))
            return (
                tuple(newest.values())[len(newest) - room :]
                if room < len(newest)
                else [*newest.values()]
            )

    return Right()
