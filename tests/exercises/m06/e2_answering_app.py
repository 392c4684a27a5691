"""Answers to exercise 06.2, right and wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from helpers.authoring.answers import right, wrong


def application(cls: type) -> Callable[..., Any]:
    """The function that binds a class to the three parts."""

    def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        from ray import serve

        return serve.deployment(max_ongoing_requests=100)(cls).bind(documents, orders, writer)

    return answering_app


class Base:
    """Answers that are right, in steps; the answers below change a step."""

    def __init__(self, documents: Any, orders: Any, writer: Any) -> None:
        self.documents, self.orders = documents, orders
        self.writer = writer.options(stream=True)

    def searches(self, question: str) -> list[Any]:
        return [self.documents.find.remote(question), self.orders.find.remote(question)]

    async def found(self, calls: list[Any]) -> list[str]:
        return list(await asyncio.gather(*calls))

    async def answer(self, question: str) -> AsyncIterator[Any]:
        calls = self.searches(question)
        try:
            found = await self.found(calls)
            words = self.writer.write.remote(question, found)
            calls.append(words)
            async for word in words:
                yield word
        finally:
            for call in calls:
                call.cancel()


@wrong("Returns the class, not bound.", slip="no-application")
def not_bound() -> object:
    def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        from ray import serve

        return serve.deployment(Base)

    return answering_app


@wrong("The default number of requests at the same time.", slip="default")
def five_places() -> object:
    def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        from ray import serve

        made: Any = serve.deployment(Base)
        return made.bind(documents, orders, writer)

    return answering_app


@wrong("Cancels after an Exception alone.", slip="exceptions-only")
def exceptions_only() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[Any]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
                calls.append(self.writer.write.remote(question, found))
                async for word in calls[-1]:
                    yield word
            except Exception:
                for call in calls:
                    call.cancel()
                raise

    return application(Answers)


@wrong("Keeps what was found for a question.", slip="remembered")
def remembers() -> object:
    class Answers(Base):
        known: dict[str, list[str]] = {}  # noqa: RUF012 - that it is shared is the mistake

        async def answer(self, question: str) -> AsyncIterator[Any]:
            if question not in self.known:
                self.known[question] = await self.found(self.searches(question))
            words = self.writer.write.remote(question, self.known[question])
            try:
                async for word in words:
                    yield word
            finally:
                words.cancel()

    return application(Answers)


@wrong("An async function.", slip="no-application")
def async_function() -> object:
    async def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        return application(Base)(documents, orders, writer)

    return answering_app


@wrong("Collects the words first.", slip="at-the-end")
def collects() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            words = [word async for word in super().answer(question)]
            for word in words:
                yield word

    return application(Answers)


@wrong("Leaves out empty words.", slip="empty-dropped")
def without_empty_words() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            async for word in super().answer(question):
                if word:
                    yield word

    return application(Answers)


@wrong("Sends the second search when the first has answered.", slip="one-after-the-other")
def one_after_the_other() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = [self.documents.find.remote(question)]
            try:
                found = [await calls[0]]
                calls.append(self.orders.find.remote(question))
                found.append(await calls[1])
                words = self.writer.write.remote(question, found)
                calls.append(words)
                async for word in words:
                    yield word
            finally:
                for call in calls:
                    call.cancel()

    return application(Answers)


@wrong("The text that comes first is the first.", slip="in-order-of-arrival")
def in_order_of_arrival() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            return [await one for one in asyncio.as_completed(calls)]

    return application(Answers)


@wrong("Orders come before documents.")
def orders_first() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            return (await super().found(calls))[::-1]

    return application(Answers)


@wrong("A lock lets one question after another.", slip="keeps-others")
def locked() -> object:
    class Answers(Base):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            self.lock = asyncio.Lock()

        async def answer(self, question: str) -> AsyncIterator[str]:
            async with self.lock:
                async for word in super().answer(question):
                    yield word

    return application(Answers)


@wrong("Waits for the searches in the loop's own thread.", slip="keeps-others")
def blocks_the_loop() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            return [call.result(timeout_s=2, _skip_asyncio_check=True) for call in calls]

    return application(Answers)


@wrong("Uses result(), which Serve refuses in a deployment.")
def uses_result() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            return [call.result() for call in calls]

    return application(Answers)


@wrong("The words are kept in self.", slip="mixed")
def words_in_self() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
                self.words = self.writer.write.remote(question, found)
                calls.append(self.words)
                while True:
                    word = await anext(self.words, None)
                    if word is None:
                        return
                    yield word
            finally:
                for call in calls:
                    call.cancel()

    return application(Answers)


@wrong("The searches are in self: a second reader takes those of the first.")
def calls_in_self() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            self.question = question
            self.calls = self.searches(question)
            found = await self.found(self.calls)
            words = self.writer.write.remote(self.question, found)
            self.calls.append(words)
            try:
                async for word in words:
                    yield word
            finally:
                for call in self.calls:
                    call.cancel()

    return application(Answers)


@wrong("Asks each search twice.", slip="asked-twice")
def searches_twice() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            self.documents.find.remote(question)
            async for word in super().answer(question):
                yield word

    return application(Answers)


@wrong("Cancels nothing.", slip="search-goes-on")
def cancels_nothing() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            found = await self.found(self.searches(question))
            async for word in self.writer.write.remote(question, found):
                yield word

    return application(Answers)


@wrong("Cancels the searches, and not the writer.", slip="goes-on")
def cancels_searches_only() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
            finally:
                for call in calls:
                    call.cancel()
            async for word in self.writer.write.remote(question, found):
                yield word

    return application(Answers)


@wrong("Cancels the writer only after an error of its own.", slip="goes-on")
def cancels_after_part_errors() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
                words = self.writer.write.remote(question, found)
            except Exception:
                for call in calls:
                    call.cancel()
                raise
            async for word in words:
                yield word

    return application(Answers)


@wrong("After a search that fails, the writer gets empty texts.", slip="hidden")
def empty_text_for_an_error() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            try:
                return await super().found(calls)
            except Exception:
                return ["", ""]

    return application(Answers)


@wrong("A search that fails ends the answer without a word.", slip="hidden")
def silent_end() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
            except Exception:
                for call in calls:
                    call.cancel()
                return
            words = self.writer.write.remote(question, found)
            try:
                async for word in words:
                    yield word
            finally:
                words.cancel()

    return application(Answers)


@wrong("Waits for both searches, also when one has failed.", slip="waits-for-the-other")
def waits_for_both() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            got = await asyncio.gather(*calls, return_exceptions=True)
            for text in got:
                if isinstance(text, BaseException):
                    raise text
            return [str(text) for text in got]

    return application(Answers)


@wrong("Awaits the searches in order, so an error of the second waits for the first.")
def awaits_in_order() -> object:
    class Answers(Base):
        async def found(self, calls: list[Any]) -> list[str]:
            return [await call for call in calls]

    return application(Answers)


@wrong("An error of the writer ends the answer.", slip="swallowed")
def swallows() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
                words = self.writer.write.remote(question, found)
                calls.append(words)
                try:
                    async for word in words:
                        yield word
                except Exception:
                    return
            finally:
                for call in calls:
                    call.cancel()

    return application(Answers)


@wrong("One word late: an error takes a word with it.")
def one_word_late() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            before = None
            async for word in super().answer(question):
                if before is not None:
                    yield before
                before = word
            if before is not None:
                yield before

    return application(Answers)


@wrong("Collects the words, so that those before an error are lost.", slip="words-lost")
def loses_words() -> object:
    return collects()


@wrong("Goes on to the writer with whatever ends the searches.", slip="starts-writing")
def writes_all_the_same() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
            except BaseException as error:
                if type(error).__name__ == "PartFailed":
                    for call in calls:
                        call.cancel()
                    raise
                found = ["", ""]
            words = self.writer.write.remote(question, found)
            try:
                async for word in words:
                    yield word
            finally:
                words.cancel()

    return application(Answers)


@wrong("One application for all parts that it is called with.")
def first_application_kept() -> object:
    kept: list[Any] = []

    def answering_app(*parts: Any) -> Any:
        kept.append(kept[0] if kept else application(Base)(*parts))
        return kept[0]

    return answering_app


@wrong("Two words at a time.")
def in_pairs() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            pair: list[str] = []
            async for word in super().answer(question):
                pair.append(word)
                if len(pair) == 2:
                    for one in pair:
                        yield one
                    pair = []
            for one in pair:
                yield one

    return application(Answers)


@right("As it should be, in steps.")
def in_steps() -> object:
    return application(Base)


@right("The searches are tasks of a group.")
def task_group() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            tasks = [asyncio.ensure_future(call) for call in calls]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                for task in tasks:
                    if task.done():
                        task.result()
                words = self.writer.write.remote(question, [task.result() for task in tasks])
            finally:
                for call, task in zip(calls, tasks, strict=True):
                    call.cancel()
                    task.cancel()
            try:
                async for word in words:
                    yield word
            finally:
                words.cancel()

    return application(Answers)


@right("An exit stack cancels what was started; options are set for each call.")
def exit_stack() -> object:
    from contextlib import ExitStack

    class Answers:
        def __init__(self, documents: Any, orders: Any, writer: Any) -> None:
            self.parts = {"documents": documents, "orders": orders}
            self.writer = writer

        async def answer(self, question: str) -> AsyncIterator[str]:
            with ExitStack() as started:
                calls = []
                for part in self.parts.values():
                    calls.append(part.find.remote(question))
                    started.callback(calls[-1].cancel)
                found = await asyncio.gather(*calls)
                words = self.writer.options(stream=True).write.remote(question, [*found])
                started.callback(words.cancel)
                async for word in words:
                    yield word

    return application(Answers)


@right("Bound by keywords, with options of its own, and the method of the handle by its name.")
def by_keywords() -> object:
    class Answers(Base):
        def searches(self, question: str) -> list[Any]:
            return [
                getattr(part, "find").remote(question=question)  # noqa: B009
                for part in (self.documents, self.orders)
            ]

    def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        from ray import serve

        made = serve.deployment(num_replicas=2, max_ongoing_requests=100, name="people")(Answers)
        return made.bind(documents=documents, writer=writer, orders=orders)

    return answering_app


@right("Gets the searches in a list, and says which method when it has the handle.")
def searches_in_a_list() -> object:
    class Answers(Base):
        def __init__(self, searches: list[Any], writer: Any) -> None:
            self.parts = searches
            self.writer = writer.options(stream=True, method_name="write")

        def searches(self, question: str) -> list[Any]:
            return [part.options(method_name="find").remote(question) for part in self.parts]

    def answering_app(documents: Any, orders: Any, writer: Any) -> Any:
        from ray import serve

        made = serve.deployment(max_ongoing_requests=100)(Answers)
        return made.bind([documents, orders], writer)

    return answering_app


@right("Reads the words with anext.")
def by_anext() -> object:
    class Answers(Base):
        async def answer(self, question: str) -> AsyncIterator[str]:
            calls = self.searches(question)
            try:
                found = await self.found(calls)
                words = self.writer.write.remote(question, found)
                calls.append(words)
                while True:
                    try:
                        word = await anext(words)
                    except StopAsyncIteration:
                        return
                    yield word
            finally:
                [call.cancel() for call in calls]

    return application(Answers)
