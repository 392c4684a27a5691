"""Answers to exercise 02.4: rules that fit the questions seen, and rules that fit all."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from helpers.authoring.answers import right, wrong
from helpers.evaluate.testing.searches import INDEX_BUILT
from helpers.shop import document, questions

BUILT = pd.Timestamp(INDEX_BUILT)


def seen_documents() -> dict[str, date]:
    """The documents of the dev part's questions, with the day of their last change."""
    names = {question.document for question in questions("dev")} - {None}
    return {str(name): document(str(name)).updated for name in names}


def newer(question: Any) -> bool:
    return bool(question["updated"] > BUILT)


@wrong("No question.", slip="none-at-all")
def never() -> object:
    return lambda question: False


@wrong("Every question.", slip="all")
def always() -> object:
    return lambda question: True


@wrong("The ids of the lost ones.", slip="none-at-all")
def by_heart() -> object:
    lost = {f"dev-single_fact-{number:03}" for number in (5, 6, 12, 14, 16, 18, 24)}
    return lambda question: question["id"] in lost


@wrong("The documents that were seen to be lost.")
def documents_by_heart() -> object:
    lost = {name for name, day in seen_documents().items() if day > INDEX_BUILT}
    return lambda question: question["document"] in lost


@wrong("All documents of the shop that are not in the index.")
def every_document_by_heart() -> object:
    from helpers.shop import documents

    lost = {one.id for one in documents() if one.updated > INDEX_BUILT}
    return lambda question: question["document"] in lost


@wrong("The titles of these documents.")
def titles_by_heart() -> object:
    from helpers.shop import documents

    lost = {one.title for one in documents() if one.updated > INDEX_BUILT}
    return lambda question: question["doc_title"] in lost


@wrong("The days on which the lost documents were changed.")
def days_by_heart() -> object:
    lost = {pd.Timestamp(day) for day in seen_documents().values() if day > INDEX_BUILT}
    return lambda question: question["updated"] in lost


@wrong("The kind of question that lost most.")
def single_facts() -> object:
    return lambda question: question["kind"] == "single_fact"


@wrong("The kind of document that lost most.")
def products() -> object:
    return lambda question: question["doc_kind"] == "product"


@wrong("Short questions.")
def short() -> object:
    return lambda question: question["words"] <= 10


@wrong("Questions that share few words with their document.")
def few_words_shared() -> object:
    return lambda question: (question["words_shared"] or 0) < 4


@wrong("The old ones, not the new ones.")
def older() -> object:
    return lambda question: question["updated"] <= BUILT


@wrong("The last month alone.", slip="another-limit")
def last_month() -> object:
    return lambda question: question["updated"] >= pd.Timestamp("2026-05-01")


@wrong("From the first of the month on.", slip="another-limit")
def whole_month() -> object:
    return lambda question: question["updated"] >= pd.Timestamp("2026-04-01")


@wrong("The first lost document is not lost.")
def after_the_first() -> object:
    return lambda question: question["updated"] > pd.Timestamp("2026-04-16")


@wrong("The last found document is lost.")
def from_the_last() -> object:
    return lambda question: question["updated"] >= pd.Timestamp("2026-04-07")


@wrong("The months, of any year.")
def by_month() -> object:
    def hit(question: Any) -> bool:
        day = question["updated"]
        return bool((day.month, day.day) >= (4, 9) and day.month < 9)

    return hit


@wrong("The months of one year.")
def one_year() -> object:
    return lambda question: newer(question) and question["updated"].year == 2026


@wrong("Those that were right before alone.")
def known_before() -> object:
    return lambda question: newer(question) and question["words_shared"] >= 3


@wrong("It knows no questions without a document.", slip="no-document")
def needs_a_document() -> object:
    return lambda question: document(question["document"]) is not None and newer(question)


@wrong("A question without a document is hit.")
def no_document_is_hit() -> object:
    return lambda question: not question["updated"] <= BUILT


@wrong("Compared as texts, in which NaT is late.")
def texts() -> object:
    return lambda question: str(question["updated"]) > "2026-04-09"


@wrong("None where there is no document.")
def none_for_none() -> object:
    return lambda question: newer(question) if question["document"] else None


@wrong("1 and 0.")
def numbers() -> object:
    return lambda question: int(newer(question))


@wrong("It keeps the first answer.")
def remembers() -> object:
    kept: list[bool] = []

    def hit(question: Any) -> bool:
        kept.append(newer(question))
        return kept[0]

    return hit


@wrong("It turns with each call.")
def every_other() -> object:
    calls: list[int] = []

    def hit(question: Any) -> bool:
        calls.append(1)
        return newer(question) and len(calls) % 7 != 0

    return hit


@wrong("It takes the day out of the question.")
def pops() -> object:
    return lambda question: bool(question.pop("updated") > BUILT)


@wrong("It writes into the question.")
def writes() -> object:
    def hit(question: Any) -> bool:
        question["new"] = newer(question)
        return bool(question["new"])

    return hit


@wrong("It is async.")
def is_async() -> object:
    async def hit(question: Any) -> bool:
        return newer(question)

    return hit


@wrong("Products and how-tos alone.")
def no_policies() -> object:
    return lambda question: newer(question) and question["doc_kind"] != "policy"


@wrong("Questions of customers who are not logged in alone.")
def guests() -> object:
    return lambda question: newer(question) and not question["logged_in"]


@wrong("Two documents whatever their day.")
def two_documents() -> object:
    return lambda question: (
        newer(question) or question["document"] in ("alta-3-tent", "ember-gas-stove")
    )


@wrong("The kinds of question that were seen alone.")
def kinds_seen() -> object:
    kinds = {question.kind for question in questions("dev")}
    return lambda question: newer(question) and question["kind"] in kinds


@wrong("It puts a day where there is none.")
def fills_the_day() -> object:
    def hit(question: Any) -> bool:
        if question["updated"] is pd.NaT:
            question["updated"] = pd.Timestamp(2000, 1, 1)
        return newer(question)

    return hit


@wrong("The limit moves with the newest day that was asked.")
def moving_limit() -> object:
    newest = [pd.Timestamp(2026, 6, 2)]

    def hit(question: Any) -> bool:
        if question["updated"] is not pd.NaT:
            newest[0] = max(newest[0], question["updated"])
        return bool(question["updated"] >= newest[0] - pd.Timedelta(days=53))

    return hit


def since(day: str) -> Callable[[Any], Any]:
    """A rule from this day on."""
    return lambda question: question["updated"] >= pd.Timestamp(day)


@right("From the first lost day on.")
def first_lost() -> object:
    return since("2026-04-16")


@right("From the day of a question that neither search finds.")
def first_not_found() -> object:
    return since("2026-04-14")


@right("From a day between.")
def between() -> object:
    return lambda question: (
        question["document"] is not None and question["updated"].date().isoformat() >= "2026-04-15"
    )


@right("After the last day that is found.")
def last_found() -> object:
    return since("2026-04-08")


@right("By dates, and a look at the document first.")
def dates() -> object:
    def hit(question: Any) -> bool:
        if question["document"] is None:
            return False
        day: datetime = question["updated"].to_pydatetime()
        return day.date() > INDEX_BUILT

    return hit


@right("NumPy's booleans.")
def numpy_booleans() -> object:
    return lambda question: np.bool_(newer(question))


@right("After the newest of the seen documents that are found.")
def from_what_was_seen() -> object:
    newest = pd.Timestamp(max(day for day in seen_documents().values() if day <= INDEX_BUILT))
    return lambda question: question["updated"] > newest
