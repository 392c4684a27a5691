"""Answers to exercise 11.5: operators that are hasty, blind, or right in another way."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from helpers.authoring.answers import right, wrong

Todo = tuple[str, str, str]


def evidence(console: Any) -> Iterable[Todo]:
    """What the pages and answers speak for, most urgent first."""
    fired = {page.alert for page in console.pages()}
    answers = console.answers(10)
    if "MostAnswersFail" in fired:
        yield "model down", "switch-model", ""
    for one in answers:
        if one["addresses"]:
            yield "poisoned document", "withdraw", one["document"]
    if "CanaryWrong" in fired:
        yield "bad release", "rollback", ""
    asked = Counter(one["customer"] for one in answers if one["customer"])
    if "SpendingFast" in fired and asked and max(asked.values()) > 0.3 * len(answers):
        yield "cost spike", "limit", asked.most_common(1)[0][0]


def duty(
    find: Callable[[Any], Iterable[Todo]], *, step: float = 1.0, after: float = 0.0
) -> Callable[[Any], Any]:
    """An operator who acts on the first thing that `find` gives, and then leaves."""

    async def operator(console: Any) -> None:
        while await console.wait(step):
            for kind, action, about in find(console):
                if after:
                    await console.wait(after)
                console.diagnose(kind)
                console.act(action, about)
                return

    return operator


def but(**others: Callable[[Any, Todo], Todo | None]) -> Callable[[Any], Iterable[Todo]]:
    """The evidence, with one kind treated in another way."""

    def find(console: Any) -> Iterable[Todo]:
        for todo in evidence(console):
            change = others.get(todo[1].replace("-", "_"))
            found = change(console, todo) if change else todo
            if found:
                yield found

    return find


@wrong("It is not async.", slip="sync")
def not_async() -> object:
    return lambda console: None


@wrong("It does nothing.")
def nothing() -> object:
    async def operator(console: Any) -> None:
        return

    return operator


@wrong("It watches, and never acts.")
def watches() -> object:
    return duty(lambda console: [])


@wrong("It diagnoses, and does not act.", slip="only-said")
def only_says() -> object:
    async def operator(console: Any) -> None:
        while await console.wait(1):
            for kind, _, _ in evidence(console):
                console.diagnose(kind)
                return

    return operator


@wrong("It acts, and does not say what is wrong.", slip="undiagnosed")
def says_nothing() -> object:
    async def operator(console: Any) -> None:
        while await console.wait(1):
            for _, action, about in evidence(console):
                console.act(action, about)
                return

    return operator


@wrong("Every page is answered by a rollback.", slip="wrong-action")
def always_rolls_back() -> object:
    def find(console: Any) -> Iterable[Todo]:
        if console.pages():
            yield "bad release", "rollback", ""

    return duty(find)


@wrong("It rolls back because something was released.", slip="wrong-action")
def trusts_changes() -> object:
    def find(console: Any) -> Iterable[Todo]:
        if any(one.what == "release" and one.minute > 0 for one in console.changes()):
            yield "bad release", "rollback", ""

    return duty(find)


@wrong("It tries one action after the other.", slip="wrong-action")
def tries_all() -> object:
    async def operator(console: Any) -> None:
        while await console.wait(1):
            if console.pages():
                for kind, action, _ in ALL:
                    console.diagnose(kind)
                    console.act(action)

    return operator


ALL = (("bad release", "rollback", ""), ("model down", "switch-model", ""))


@wrong("It waits for half an hour before it acts.")
def hesitates() -> object:
    return duty(evidence, after=30)


@wrong("It looks once in forty minutes.")
def looks_rarely() -> object:
    return duty(evidence, step=40)


@wrong("A single failed answer is a dead model.")
def one_failure() -> object:
    def find(console: Any) -> Iterable[Todo]:
        if any(one["canary"] == "wrong" or one["failed"] for one in console.answers(10)):
            yield "model down", "switch-model", ""

    return duty(find)


@wrong("It withdraws the document that was edited last.", slip="wrong-action")
def last_edit() -> object:
    def edited(console: Any, todo: Todo) -> Todo:
        return (*todo[:2], [one.about for one in console.changes() if one.what == "edit"][-1])

    return duty(but(withdraw=edited))


@wrong("It withdraws what is asked for most.", slip="wrong-action")
def most_asked() -> object:
    def asked(console: Any, todo: Todo) -> Todo:
        found = Counter(one["document"] for one in console.answers(30) if one["document"])
        return (*todo[:2], next(one for one, _ in found.most_common() if one != todo[2]))

    return duty(but(withdraw=asked))


@wrong("It treats a foreign address as a bad release.", slip="wrong-action")
def rolls_back_poison() -> object:
    return duty(but(withdraw=lambda console, todo: ("bad release", "rollback", "")))


@wrong("It limits the customer who asked last.")
def limits_the_last() -> object:
    def last(console: Any, todo: Todo) -> Todo:
        others = [one["customer"] for one in console.answers(60) if one["customer"]]
        return (*todo[:2], next(one for one in others if one != todo[2]))

    return duty(but(limit=last))


@wrong("It answers rising cost by another model.", slip="wrong-action")
def cheaper_model() -> object:
    return duty(but(limit=lambda console, todo: ("cost spike", "switch-model", "")))


@wrong("It limits somebody whenever spending is high, also after a mailing.", slip="wrong-action")
def limits_on_cost() -> object:
    def find(console: Any) -> Iterable[Todo]:
        yield from but(limit=lambda console, todo: None)(console)
        asked = Counter(one["customer"] for one in console.answers(10) if one["customer"])
        if asked and any(page.alert == "SpendingFast" for page in console.pages()):
            yield "cost spike", "limit", asked.most_common(1)[0][0]

    return duty(find)


@wrong("It leaves after an hour, if nothing has happened.", slip="left-early")
def leaves_early() -> object:
    inner = duty(evidence)

    async def operator(console: Any) -> None:
        class Short:
            def __getattr__(self, name: str) -> Any:
                return getattr(console, name)

            async def wait(self, minutes: float = 1.0) -> bool:
                return bool(await console.wait(minutes) and console.minute < 60)

        await inner(Short())

    return operator


@wrong("It reads a page like a dict.", slip="subscript")
def page_as_dict() -> object:
    return duty(lambda console: [ALL[0] for page in console.pages() if page["alert"]])


@wrong("It reads an answer like an object.", slip="attribute")
def answer_as_object() -> object:
    return duty(lambda console: [ALL[0] for one in console.answers() if one.addresses])


@right("A class that looks at figures and answers alone, and not at pages.")
def without_pages() -> object:
    def find(console: Any) -> Iterable[Todo]:
        five, ten = console.figures(5), console.answers(10)
        if five["answers"] >= 4 and five["failed"] > 0.5 * five["answers"]:
            yield "model down", "switch-model", ""
        if console.figures(30)["canaries_wrong"]:
            yield "bad release", "rollback", ""
        for one in ten:
            if one["addresses"]:
                yield "poisoned document", "withdraw", one["document"]
        asked = Counter((one["customer"], one["question"]) for one in ten if one["customer"])
        if asked and max(asked.values()) >= 20:
            yield "cost spike", "limit", asked.most_common(1)[0][0][0]

    class Duty:
        async def __call__(self, console: Any) -> None:
            await duty(find)(console)

    return Duty()


@right("It looks every two minutes and a half, and stays until the shift has ended.")
def stays() -> object:
    async def operator(console: Any) -> None:
        done: set[Todo] = set()
        while await console.wait(2.5):
            for todo in evidence(console):
                if not done:
                    done.add(todo)
                    console.notice("a page")
                    console.diagnose(todo[0])
                    console.act(todo[1], todo[2])

    return operator


@right("It repeats the right action until no page fires.")
def repeats() -> object:
    async def operator(console: Any) -> None:
        first: list[Todo] = []
        while await console.wait(1):
            first = first or [*evidence(console)][:1]
            for kind, action, about in first:
                console.diagnose(kind)
                console.act(action, about)
                await console.wait(4)
                if not console.pages():
                    return

    return operator
