"""Answers to exercise 06.3, right and wrong."""

import asyncio
import json
from typing import Any

from helpers.authoring.answers import right, wrong


class Base:
    """A desk that is right; the answers below change a part of it."""

    def __init__(self, search: Any, write: Any, memory: Any) -> None:
        self.search, self.write, self.memory = search, write, memory
        self.passages: dict[str, str] = {}

    async def passage(self, question: str) -> str:
        if question not in self.passages:
            self.passages[question] = await self.search(question)
        return self.passages[question]

    async def written(self, conversation: str, question: str) -> str:
        turns = await self.history(conversation)
        text: str = await self.write(question, turns, await self.passage(question))
        return text

    async def stored(self, conversation: str, request: str) -> Any:
        return await self.memory.get.remote(("turns", conversation), request)

    async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
        return await self.memory.put_new.remote(("turns", conversation), request, turn)

    async def count(self, conversation: str, request: str) -> None:
        await self.memory.put_new.remote("asked", (conversation, request), 1)

    async def ask(self, request: str, conversation: str, question: str) -> Any:
        turn = await self.stored(conversation, request)
        if turn is None:
            text = await self.written(conversation, question)
            turn = await self.store(conversation, request, (question, text))
        await self.count(conversation, request)
        return turn[1]

    async def history(self, conversation: str) -> list[Any]:
        return list((await self.memory.fields.remote(("turns", conversation))).values())

    async def asked(self) -> int:
        return len(await self.memory.fields.remote("asked"))


@wrong("Turns stay in the replica.", slip="own-turns")
def own_turns() -> object:
    class Desk(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.turns: dict[str, dict[str, tuple[str, str]]] = {}

        async def stored(self, conversation: str, request: str) -> Any:
            return self.turns.get(conversation, {}).get(request)

        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            return self.turns.setdefault(conversation, {}).setdefault(request, turn)

        async def history(self, conversation: str) -> list[Any]:
            return list(self.turns.get(conversation, {}).values())

    return Desk


@wrong("The count stays in the replica.", slip="own-count")
def own_count() -> object:
    class Desk(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.names: set[tuple[str, str]] = set()

        async def count(self, conversation: str, request: str) -> None:
            self.names.add((conversation, request))

        async def asked(self) -> int:
            return len(self.names)

    return Desk


@wrong("Reads the turns from outside once, and keeps them.", slip="kept-turns")
def read_once() -> object:
    class Desk(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.turns: dict[str, list[Any]] = {}

        async def history(self, conversation: str) -> list[Any]:
            if not self.turns.get(conversation):
                self.turns[conversation] = await super().history(conversation)
            return self.turns[conversation]

    return Desk


@wrong("write gets the turn that is being made, too.", slip="blind")
def stored_before_written() -> object:
    class Desk(Base):
        async def written(self, conversation: str, question: str) -> str:
            turns = [*await self.history(conversation), (question, "")]
            text: str = await self.write(question, turns, await self.passage(question))
            return text

    return Desk


@wrong("Answers are looked up by the question, in the replica.", slip="shared-answer")
def answers_by_question() -> object:
    class Desk(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.answers: dict[str, str] = {}

        async def written(self, conversation: str, question: str) -> str:
            if question not in self.answers:
                self.answers[question] = await super().written(conversation, question)
            return self.answers[question]

    return Desk


@wrong("Answers are looked up by the question, outside.", slip="shared-answer")
def answers_outside() -> object:
    class Desk(Base):
        async def written(self, conversation: str, question: str) -> str:
            text = await self.memory.get.remote("answers", question)
            if text is None:
                text = await super().written(conversation, question)
                await self.memory.put.remote("answers", question, text)
            return str(text)

    return Desk


@wrong("The request alone says which one it is.", slip="shared-request")
def by_request_alone() -> object:
    class Desk(Base):
        async def count(self, conversation: str, request: str) -> None:
            await self.memory.put_new.remote("asked", request, 1)

    return Desk


@wrong("write gets the turns of all conversations.", slip="shared-turns")
def turns_of_all() -> object:
    class Desk(Base):
        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            await self.memory.put_new.remote("all turns", (conversation, request), turn)
            return await super().store(conversation, request, turn)

        async def written(self, conversation: str, question: str) -> str:
            turns = list((await self.memory.fields.remote("all turns")).values())
            text: str = await self.write(question, turns, await self.passage(question))
            return text

    return Desk


@wrong("The count is a number in the replica.", slip="own-count")
def number_in_the_replica() -> object:
    class Desk(Base):
        counted = 0

        async def count(self, conversation: str, request: str) -> None:
            self.counted += 1

        async def asked(self) -> int:
            return self.counted

    return Desk


@wrong("A turn is stored under its question.", slip="by-question")
def stored_by_question() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            return await super().ask(question, conversation, question)

    return Desk


@wrong("The history has one turn a question.", slip="by-question")
def one_turn_a_question() -> object:
    class Desk(Base):
        async def history(self, conversation: str) -> list[Any]:
            turns = await super().history(conversation)
            return list({question: (question, text) for question, text in turns}.values())

    return Desk


class Handing(Base):
    """What write is given of the turns is changed."""

    def handed(self, turns: list[Any]) -> Any:
        return turns

    async def written(self, conversation: str, question: str) -> str:
        turns = self.handed(await self.history(conversation))
        text: str = await self.write(question, turns, await self.passage(question))
        return text


@wrong("write gets the texts alone.", slip="blind")
def texts_alone() -> object:
    class Desk(Handing):
        def handed(self, turns: list[Any]) -> Any:
            return [text for _, text in turns]

    return Desk


@wrong("write gets the newest turn first.", slip="blind")
def newest_first() -> object:
    class Desk(Handing):
        def handed(self, turns: list[Any]) -> Any:
            return turns[::-1]

    return Desk


@wrong("write gets the last three turns.", slip="part-of-the-turns")
def last_three() -> object:
    class Desk(Handing):
        def handed(self, turns: list[Any]) -> Any:
            return turns[-3:]

    return Desk


@wrong("write gets the last twenty turns.", slip="part-of-the-turns")
def last_twenty() -> object:
    class Desk(Handing):
        def handed(self, turns: list[Any]) -> Any:
            return turns[-20:]

    return Desk


@wrong("The history has the last ten turns.")
def short_history() -> object:
    class Desk(Base):
        async def history(self, conversation: str) -> list[Any]:
            return (await super().history(conversation))[-10:]

    return Desk


class Joined(Base):
    """Everything is under one text that joins conversation and request."""

    sign = "/"

    async def ask(self, request: str, conversation: str, question: str) -> Any:
        name = f"{conversation}{self.sign}{request}"
        turn = await self.memory.get.remote("all", name)
        if turn is None:
            text = await self.written(conversation, question)
            turn = (conversation, question, text)
            turn = await self.memory.put_new.remote("all", name, turn)
        return turn[2]

    async def history(self, conversation: str) -> list[Any]:
        turns = (await self.memory.fields.remote("all")).values()
        return [turn[1:] for turn in turns if turn[0] == conversation]

    async def asked(self) -> int:
        return len(await self.memory.fields.remote("all"))


@wrong("Conversation and request are joined by a slash.", slip="joined")
def joined_by_a_slash() -> object:
    return Joined


@wrong("Conversation and request are joined by a long sign.", slip="joined")
def joined_by_a_long_sign() -> object:
    class Desk(Joined):
        sign = ", request\n"

    return Desk


@wrong("Requests are counted by their names joined by a dash.", slip="joined")
def counted_by_a_joined_name() -> object:
    class Desk(Base):
        async def count(self, conversation: str, request: str) -> None:
            await self.memory.put_new.remote("asked", f"{request}-{conversation}", 1)

    return Desk


@wrong("A text with the question in it names the request.", slip="joined")
def joined_with_the_question() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            return await super().ask(f"{request}|{question}", conversation, question)

    return Desk


@wrong("An empty text is written again.", slip="empty-again")
def empty_is_none() -> object:
    class Desk(Base):
        async def stored(self, conversation: str, request: str) -> Any:
            turn = await super().stored(conversation, request)
            return turn if turn and turn[1] else None

    return Desk


@wrong("The history of a new conversation is None.", slip="no-turns")
def no_history() -> object:
    class Desk(Base):
        async def written(self, conversation: str, question: str) -> str:
            turns = await self.history(conversation) or []
            text: str = await self.write(question, turns, await self.passage(question))
            return text

        async def history(self, conversation: str) -> Any:
            return await super().history(conversation) or None

    return Desk


@wrong("A search that failed is kept.", slip="error-kept")
def failed_search_kept() -> object:
    class Desk(Base):
        async def passage(self, question: str) -> Any:
            if question not in self.passages:
                search: Any = asyncio.ensure_future(self.search(question))
                self.passages[question] = search
            kept: Any = self.passages[question]
            return await asyncio.shield(kept)

    return Desk


@wrong("One list of turns, read and written back.", slip="lost-turns")
def list_written_back() -> object:
    class Desk(Base):
        async def stored(self, conversation: str, request: str) -> Any:
            return (await self.memory.get.remote("turns", conversation) or {}).get(request)

        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            turns = await self.memory.get.remote("turns", conversation) or {}
            turn = turns.setdefault(request, turn)
            await self.memory.put.remote("turns", conversation, turns)
            return turn

        async def history(self, conversation: str) -> list[Any]:
            return list((await self.memory.get.remote("turns", conversation) or {}).values())

    return Desk


@wrong("A number, read and written back.", slip="lost-count")
def number_written_back() -> object:
    class Desk(Base):
        async def count(self, conversation: str, request: str) -> None:
            count = await self.memory.get.remote("asked", "all") or 0
            await self.memory.put.remote("asked", "all", count + 1)

        async def asked(self) -> int:
            return await self.memory.get.remote("asked", "all") or 0

    return Desk


class Adding(Base):
    """The number of requests is added to."""

    async def count(self, conversation: str, request: str) -> None:
        await self.memory.add.remote("asked", "all", 1)

    async def asked(self) -> int:
        return await self.memory.get.remote("asked", "all") or 0


@wrong("Adds one for each call.", slip="counted-again")
def adds_each_time() -> object:
    return Adding


@wrong(
    "Adds one for each text that is written: twice when two write at once.", slip="counted-at-once"
)
def adds_for_each_text() -> object:
    class Desk(Adding):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            turn = await self.stored(conversation, request)
            if turn is None:
                text = await self.written(conversation, question)
                turn = await self.store(conversation, request, (question, text))
                await self.count(conversation, request)
            return turn[1]

    return Desk


@wrong("Adds one after the first to store a turn, and not if it died between.", slip="half-done")
def counts_new_turns() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            turn = await self.stored(conversation, request)
            if turn is None:
                text = await self.written(conversation, question)
                turn = await self.store(conversation, request, (question, text))
                await self.count(conversation, request)
            return turn[1]

    return Desk


@wrong("Takes a request that is counted for one that has its turn.", slip="turn-missing")
def counts_first() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            key = (conversation, request)
            if await self.memory.get.remote("asked", key) is None:
                text = await self.written(conversation, question)
                await self.memory.put_new.remote("asked", key, text)
                await self.store(conversation, request, (question, text))
            return await self.memory.get.remote("asked", key)

    return Desk


@wrong("Every retry is a turn of its own.", slip="two-turns")
def turns_by_number() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            text = await self.written(conversation, question)
            number = await self.memory.add.remote("numbers", conversation, 1)
            await self.store(conversation, number, (question, text))
            await self.count(conversation, request)
            return text

    return Desk


@wrong(
    "Looks whether the request is there, and then adds a turn under a number.",
    slip="two-turns-at-once",
)
def looks_then_adds() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            text = await self.memory.get.remote("asked", (conversation, request))
            if text is None:
                text = await self.written(conversation, question)
                number = await self.memory.add.remote("numbers", conversation, 1)
                await self.store(conversation, number, (question, text))
                await self.memory.put.remote("asked", (conversation, request), text)
            return text

    return Desk


@wrong("Adds one for a new text before its turn is stored.", slip="done-twice")
def adds_before_the_turn() -> object:
    class Desk(Adding):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            turn = await self.stored(conversation, request)
            if turn is None:
                text = await self.written(conversation, question)
                await self.count(conversation, request)
                turn = await self.store(conversation, request, (question, text))
            return turn[1]

    return Desk


@wrong("Writes again for a request that is answered.", slip="written-again")
def writes_again() -> object:
    class Desk(Base):
        async def stored(self, conversation: str, request: str) -> Any:
            return None

    return Desk


@wrong("Returns its own text, whichever was stored.", slip="two-texts")
def own_text() -> object:
    class Desk(Base):
        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            await super().store(conversation, request, turn)
            return turn

    return Desk


@wrong("The last text to come replaces the others.", slip="two-texts")
def last_text_wins() -> object:
    class Desk(Base):
        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            await self.memory.put.remote(("turns", conversation), request, turn)
            return turn

    return Desk


@wrong("Counts a request before it is answered.", slip="write-remembered")
def counts_before() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            await self.count(conversation, request)
            return await super().ask(request, conversation, question)

    return Desk


@wrong("Counts a request before it searches.", slip="search-remembered")
def counts_before_search() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            key = (conversation, request)
            await self.memory.put.remote("asked", key, True)
            await self.passage(question)
            try:
                return await super().ask(request, conversation, question)
            except Exception:
                await self.memory.put.remote("asked", key, False)
                raise

        async def asked(self) -> int:
            return sum((await self.memory.fields.remote("asked")).values())

    return Desk


@wrong("Passages are shared outside.", slip="passages-outside")
def passages_outside() -> object:
    class Desk(Base):
        async def passage(self, question: str) -> str:
            passage = await self.memory.get.remote("passages", question)
            if passage is None:
                passage = await self.search(question)
                await self.memory.put.remote("passages", question, passage)
            return str(passage)

    return Desk


@wrong("Searches for each question again.", slip="searches-again")
def searches_again() -> object:
    class Desk(Base):
        async def passage(self, question: str) -> str:
            passage: str = await self.search(question)
            return passage

    return Desk


@wrong("Calls the actor's methods as if it were an object.", slip="no-remote")
def without_remote() -> object:
    class Desk(Base):
        async def history(self, conversation: str) -> list[Any]:
            return list(self.memory.fields(("turns", conversation)).values())

    return Desk


@wrong("One lock in each replica, around all it does.")
def lock_in_the_replica() -> object:
    class Desk(Adding):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.lock = asyncio.Lock()

        async def ask(self, request: str, conversation: str, question: str) -> Any:
            async with self.lock:
                return await super().ask(request, conversation, question)

    return Desk


@right("Everything under one key, with the conversation in the field.")
def one_key() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> str:
            field = (conversation, request)
            turn = await self.memory.get.remote("all", field)
            if turn is None:
                text = await self.written(conversation, question)
                turn = await self.memory.put_new.remote("all", field, (question, text))
            return str(turn[1])

        async def history(self, conversation: str) -> list[Any]:
            fields = await self.memory.fields.remote("all")
            return [turn for (name, _), turn in fields.items() if name == conversation]

        async def asked(self) -> int:
            return len(await self.memory.fields.remote("all"))

    return Desk


@right("Turns are lists, and the count is stored first for a text that is written.")
def lists_and_gather() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> str:
            key = f"turns of {conversation!r}"
            known = (await self.memory.fields.remote(key=key)).get(request)
            if not known:
                text = await self.written(conversation, question)
                known = await self.memory.put_new.remote(key, request, [question, text])
            await asyncio.gather(self.count(conversation, request))
            return str(known[1])

        async def history(self, conversation: str) -> list[Any]:
            fields = await self.memory.fields.remote(key=f"turns of {conversation!r}")
            return [*fields.values()]

    return Desk


@right("A set of tasks keeps searches that run at the same time together.")
def one_search_at_a_time() -> object:
    class Desk(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.searching: dict[str, asyncio.Task[str]] = {}

        async def passage(self, question: str) -> str:
            if question not in self.searching:
                self.searching[question] = asyncio.create_task(self.search(question))
            try:
                return await self.searching[question]
            except Exception:
                self.searching.pop(question, None)
                raise

    return Desk


@right("Turns carry a number of their own, taken before, in the request's field.")
def numbered_turns() -> object:
    class Desk(Base):
        async def store(self, conversation: str, request: str, turn: tuple[str, str]) -> Any:
            number = await self.memory.add.remote("numbers", conversation, 1)
            key = ("turns", conversation)
            stored = await self.memory.put_new.remote(key, request, (number, *turn))
            return stored[1:]

        async def stored(self, conversation: str, request: str) -> Any:
            found = await super().stored(conversation, request)
            return found and found[1:]

        async def history(self, conversation: str) -> list[Any]:
            turns = sorted(await super().history(conversation))
            return [turn[1:] for turn in turns]

    return Desk


@right("Writes the count and the turn in either order, for every call.")
def count_first_when_known() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            turn = await self.stored(conversation, request)
            if turn is not None:
                await self.count(conversation, request)
                return turn[1]
            text = await self.written(conversation, question)
            (_, text) = await self.store(conversation, request, (question, text))
            await self.count(conversation, request)
            return text

    return Desk


@right("A request is its name and its question; a count of the conversations' turns.")
def counts_turns() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            key, field = ("turns", conversation), (request, question)
            known = await self.memory.fields.remote(key)
            if field not in known:
                text = await self.write(question, [*known.values()], await self.passage(question))
                await self.memory.put.remote("conversations", conversation, conversation)
                known[field] = await self.memory.put_new.remote(key, field, [question, text])
            return known[field][1]

        async def asked(self) -> int:
            names = await self.memory.fields.remote("conversations")
            return sum([len(await self.history(name)) for name in names])

    return Desk


@right("Names joined as JSON, which tells them apart.")
def joined_as_json() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            key, field = json.dumps(["turns", conversation]), json.dumps([request, question])
            turn = await self.memory.get.remote(key, field)
            if turn is None:
                text = await self.written(conversation, question)
                turn = await self.memory.put_new.remote(key, field, (question, text))
            await self.memory.put_new.remote("asked", json.dumps([conversation, request]), 1)
            return turn[1]

        async def history(self, conversation: str) -> list[Any]:
            key = json.dumps(["turns", conversation])
            return list((await self.memory.fields.remote(key)).values())

    return Desk


@right("The text is stored first, then the count, then the turn.")
def text_first() -> object:
    class Desk(Base):
        async def ask(self, request: str, conversation: str, question: str) -> Any:
            key = (conversation, request)
            kept = await self.memory.get.remote(key, "text")
            if kept is None:
                kept = {"text": await self.written(conversation, question)}
                kept = await self.memory.put_new.remote(key, "text", kept)
            await self.count(conversation, request)
            await self.store(conversation, request, (question, kept["text"]))
            return kept["text"]

    return Desk


EQUIVALENT = {
    'line 29, True -> False: await self.memory.put_new.remote("asked", (conversation, request), '
    "True)": "the fields are counted, whatever their values",
}
