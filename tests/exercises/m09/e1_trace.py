"""Answers to exercise 09.1, each a right one with a part that is another."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langsmith import RunTree, get_current_run_tree, trace, traceable, tracing_context
from langsmith.run_helpers import get_tracing_context
from langsmith.utils import ContextThreadPoolExecutor

from helpers.authoring.answers import right, wrong


class Parts:
    """The steps, one method each; the answers below change one."""

    root: Any = staticmethod(traceable)
    draft_type = "llm"
    pool: Any = ContextThreadPoolExecutor

    def searches(self, documents: Any, orders: Any) -> Any:
        return (
            traceable(run_type="retriever", name="documents")(documents),
            traceable(run_type="tool", name="orders")(orders),
        )

    async def search(self, searches: Any, question: str) -> Any:
        loop = asyncio.get_running_loop()
        with self.pool(2) as pool:
            return await asyncio.gather(
                *(loop.run_in_executor(pool, search, question) for search in searches)
            )

    def usage(self, reply: Any) -> Any:
        total = reply.read + reply.written
        return {
            "input_tokens": reply.read,
            "output_tokens": reply.written,
            "total_tokens": total,
        }

    def metadata(self, source: str, reply: Any) -> dict[str, Any]:
        return {"source": source, "ls_model_name": reply.model}

    def report(self, source: str, reply: Any) -> None:
        run = get_current_run_tree()
        if run is not None:
            run.add_metadata(self.metadata(source, reply))
            run.set(usage_metadata=self.usage(reply))

    def drafting(self, model: Any, question: str) -> Any:
        @traceable(run_type=self.draft_type)  # type: ignore[call-overload, untyped-decorator]
        async def draft(source: str, found: str) -> str:
            reply = await model(f"{found}\n\n{question}")
            self.report(source, reply)
            return str(reply.text)

        return draft

    async def drafts(self, draft: Any, found: Any) -> Any:
        return await asyncio.gather(draft("documents", found[0]), draft("orders", found[1]))

    def choose(self, drafts: Any) -> Any:
        return max(drafts, key=len)

    async def steps(self, question: str, documents: Any, orders: Any, model: Any) -> Any:
        found = await self.search(self.searches(documents, orders), question)
        return self.choose(await self.drafts(self.drafting(model, question), found))


def but(**changes: Any) -> object:
    changed: Any = type("Changed", (Parts,), changes)()

    async def answer(question: str, documents: Any, orders: Any, model: Any) -> Any:
        return await changed.steps(question, documents, orders, model)

    return changed.root(answer)


def plain(function: Any) -> Any:
    return function


@wrong("Nothing is answered, and nothing traced.")
def nothing() -> object:
    async def answer(question: str, documents: Any, orders: Any, model: Any) -> None:
        return None

    return answer


@wrong("Nothing is traced.", slip="untraced")
def untraced() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        async def draft(source: str, found: str) -> Any:
            return (await model(f"{found}\n\n{question}")).text

        return draft

    return but(root=staticmethod(plain), searches=lambda self, *both: both, drafting=drafting)


@wrong("Each step is traced, and answer is not.", slip="no-root")
def without_a_root() -> object:
    return but(root=staticmethod(plain))


@wrong("A plain pool loses the context.", slip="torn")
def plain_pool() -> object:
    return but(pool=ThreadPoolExecutor)


@wrong("Everything is a chain.", slip="types")
def chains_only() -> object:
    return but(
        draft_type="chain",
        searches=lambda self, documents, orders: (
            traceable(name="documents")(documents),
            traceable(name="orders")(orders),
        ),
    )


@wrong("The searches have the wrong type, one the other's.", slip="types")
def types_swapped() -> object:
    return but(
        searches=lambda self, documents, orders: (
            traceable(run_type="tool", name="documents")(documents),
            traceable(run_type="retriever", name="orders")(orders),
        )
    )


@wrong("The searches have the names of the functions.", slip="names")
def own_names() -> object:
    return but(
        searches=lambda self, documents, orders: (
            traceable(run_type="retriever")(documents),
            traceable(run_type="tool")(orders),
        )
    )


@wrong("The drafts are not traced; the root reports their tokens.")
def drafts_untraced() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        async def draft(source: str, found: str) -> Any:
            reply = await model(f"{found}\n\n{question}")
            self.report(source, reply)
            return reply.text

        return draft

    return but(drafting=drafting)


@wrong("The model's call is one more run below the draft.", slip="twice")
def traced_twice() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        return Parts.drafting(self, traceable(run_type="llm", name="model")(model), question)

    return but(drafting=drafting)


@wrong("The searches are below a run of their own.")
def one_level_too_many() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        found = traceable(name="search")(Parts.search)
        return await found(self, searches, question)

    return but(search=search)


@wrong("One search after the other.", slip="one-after-another")
def one_after_another() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        return [await asyncio.to_thread(search, question) for search in searches]

    return but(search=search)


@wrong("A pool of one thread.", slip="one-after-another")
def one_thread() -> object:
    return but(pool=lambda self, count: ContextThreadPoolExecutor(1))


@wrong("No threads at all.", slip="not-in-a-thread")
def no_threads() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        return [search(question) for search in searches]

    return but(search=search)


@wrong("The pool blocks the event loop.", slip="one-after-another")
def blocks_the_loop() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        with ContextThreadPoolExecutor(2) as pool:
            return [one.result() for one in [pool.submit(s, question) for s in searches]]

    return but(search=search)


@wrong("The drafts come one after the other.", slip="one-after-another")
def drafts_in_turn() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        return [await draft("documents", found[0]), await draft("orders", found[1])]

    return but(drafts=drafts)


@wrong("No tokens are reported.", slip="no-usage")
def no_usage() -> object:
    def report(self: Parts, source: str, reply: Any) -> None:
        if run := get_current_run_tree():
            run.add_metadata(self.metadata(source, reply))

    return but(report=report)


@wrong("The same figures for each reply.", slip="constant")
def constant_usage() -> object:
    figures = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
    return but(usage=lambda self, reply: figures)


@wrong("The figures of the first reply, for all.")
def first_usage() -> object:
    kept: dict[str, Any] = {}

    def usage(self: Parts, reply: Any) -> Any:
        return kept.setdefault("first", Parts.usage(self, reply))

    return but(usage=usage)


@wrong("Tokens read and written are exchanged.")
def exchanged() -> object:
    def usage(self: Parts, reply: Any) -> Any:
        total = reply.read + reply.written
        return {"input_tokens": reply.written, "output_tokens": reply.read, "total_tokens": total}

    return but(usage=usage)


@wrong("Words counted in place of the reported tokens.")
def words_counted() -> object:
    def usage(self: Parts, reply: Any) -> Any:
        count = len(reply.text.split())
        return {"input_tokens": count, "output_tokens": count, "total_tokens": 2 * count}

    return but(usage=usage)


@wrong("One constant model name.")
def constant_model() -> object:
    return but(
        metadata=lambda self, source, reply: {"source": source, "ls_model_name": "local"},
    )


@wrong("The model is not named.", slip="no-model")
def no_model() -> object:
    return but(metadata=lambda self, source, reply: {"source": source})


@wrong("The drafts do not say where they come from.", slip="no-source")
def no_source() -> object:
    return but(metadata=lambda self, source, reply: {"ls_model_name": reply.model})


@wrong("Without a run it fails: tracing off was not thought of.", slip="no-run")
def needs_a_run() -> object:
    def report(self: Parts, source: str, reply: Any) -> None:
        run: Any = get_current_run_tree()
        run.add_metadata(self.metadata(source, reply))
        run.set(usage_metadata=self.usage(reply))

    return but(report=report)


@wrong("Traced even with tracing off.", slip="still-traced")
def always_traced() -> object:
    async def answer(question: str, documents: Any, orders: Any, model: Any) -> Any:
        around: Any = get_tracing_context()
        with tracing_context(**{**around, "enabled": True}):
            pipeline: Any = but()
            return await pipeline(question, documents, orders, model)

    return answer


@wrong("The run of a question is kept for the next one.")
def one_root_for_all() -> object:
    kept: list[contextvars.Context] = []

    async def search(self: Parts, searches: Any, question: str) -> Any:
        kept.append(contextvars.copy_context())
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(2) as pool:
            return await asyncio.gather(
                *(
                    loop.run_in_executor(pool, kept[0].copy().run, search, question)
                    for search in searches
                )
            )

    return but(search=search)


@wrong("Cut after twelve characters.")
def cut() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=len)[:12])


@wrong("The first draft, however short.")
def first_draft() -> object:
    return but(choose=lambda self, drafts: drafts[0])


@wrong("Of equally long drafts, the last one.")
def last_of_equals() -> object:
    return but(choose=lambda self, drafts: max(reversed(drafts), key=len))


@wrong("The alphabet decides, not the length.")
def by_alphabet() -> object:
    return but(choose=lambda self, drafts: max(drafts))


@wrong("The model is asked once more, to check.")
def asked_again() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        await draft.__wrapped__("documents", found[0])
        return await Parts.drafts(self, draft, found)

    return but(drafts=drafts)


@wrong("An answer that was given before is kept.")
def remembers() -> object:
    kept: dict[str, Any] = {}
    pipeline: Any = but()

    async def answer(question: str, *functions: Any) -> Any:
        if question not in kept:
            kept[question] = await pipeline(question, *functions)
        return kept[question]

    return answer


@wrong("An error becomes an answer.")
def swallows_errors() -> object:
    async def steps(self: Parts, *arguments: Any) -> Any:
        try:
            return await Parts.steps(self, *arguments)
        except Exception as error:
            return f"raised {error}"

    return but(steps=steps)


@wrong("An error becomes another error.")
def other_error() -> object:
    async def steps(self: Parts, *arguments: Any) -> Any:
        try:
            return await Parts.steps(self, *arguments)
        except Exception as error:
            raise RuntimeError("no answer") from error

    return but(steps=steps)


async def retried(function: Any, argument: str) -> Any:
    try:
        return await function(argument)
    except Exception:
        return await function(argument)


@wrong("With tracing off, the drafts are traced by the default client.", slip="still-traced")
def drafts_always_traced() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        with tracing_context(enabled=True):
            return await Parts.drafts(self, draft, found)

    return but(drafts=drafts)


@wrong("With tracing off, a run is posted by hand.", slip="still-traced")
def posted_by_hand() -> object:
    async def steps(self: Parts, *arguments: Any) -> Any:
        if get_current_run_tree() is None:
            RunTree(name="answer", run_type="chain", inputs={}).post()
        return await Parts.steps(self, *arguments)

    return but(steps=steps)


@wrong("An error in the draft of the documents becomes an empty draft.")
def swallows_errors_of_a_draft() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        async def safely(source: str, text: str) -> Any:
            try:
                return await draft(source, text)
            except Exception:
                if source == "orders":
                    raise
                return ""

        return await Parts.drafts(self, safely, found)

    return but(drafts=drafts)


@wrong("After an error the model is asked once more.")
def model_again() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        return Parts.drafting(self, lambda prompt: retried(model, prompt), question)

    return but(drafting=drafting)


@wrong("After an error a search is done once more.")
def search_again() -> object:
    def searches(self: Parts, documents: Any, orders: Any) -> Any:
        def again(question: str) -> Any:
            try:
                return documents(question)
            except Exception:
                return documents(question)

        return Parts.searches(self, again, orders)

    return but(searches=searches)


@wrong("An error of the same type and message, but another one.")
def copied_error() -> object:
    async def steps(self: Parts, *arguments: Any) -> Any:
        try:
            return await Parts.steps(self, *arguments)
        except Exception as error:
            raise type(error)(*error.args) from None

    return but(steps=steps)


@wrong("What a search found is kept, by function and question.")
def search_remembered() -> object:
    kept: dict[Any, Any] = {}

    def searches(self: Parts, documents: Any, orders: Any) -> Any:
        def remembered(question: str) -> Any:
            if (documents, question) not in kept:
                kept[documents, question] = documents(question)
            return kept[documents, question]

        return Parts.searches(self, remembered, orders)

    return but(searches=searches)


@wrong("A reply is kept, by function and prompt.")
def reply_remembered() -> object:
    kept: dict[Any, Any] = {}

    def drafting(self: Parts, model: Any, question: str) -> Any:
        async def remembered(prompt: str) -> Any:
            if (model, prompt) not in kept:
                kept[model, prompt] = await model(prompt)
            return kept[model, prompt]

        return Parts.drafting(self, remembered, question)

    return but(drafting=drafting)


@wrong("One draft is enough if both searches find the same.")
def one_draft_of_twins() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        if found[0] == found[1]:
            return [await draft("documents", found[0])]
        return await Parts.drafts(self, draft, found)

    return but(drafts=drafts)


@wrong("Each draft starts as soon as its own search ends: the model is asked though one fails.")
def drafts_too_early() -> object:
    async def steps(self: Parts, question: str, documents: Any, orders: Any, model: Any) -> Any:
        draft = self.drafting(model, question)

        async def both(source: str, search: Any) -> Any:
            return await draft(source, await asyncio.to_thread(search, question))

        sources = zip(("documents", "orders"), self.searches(documents, orders), strict=True)
        return self.choose(await asyncio.gather(*(both(*one) for one in sources)))

    return but(steps=steps)


@wrong("More words are longer.")
def more_words() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=lambda text: len(text.split())))


@wrong("More bytes are longer.")
def more_bytes() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=lambda text: len(text.encode())))


@wrong("White space at the ends does not count.")
def length_without_ends() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=lambda text: len(text.strip())))


@wrong("Of equally long drafts, the last by alphabet.")
def alphabet_of_equals() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=lambda text: (len(text), text)))


@wrong("The answer without white space at its ends.")
def stripped_answer() -> object:
    return but(choose=lambda self, drafts: max(drafts, key=len).strip())


@wrong("What was found, without white space at its ends.")
def stripped_found() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        return await Parts.drafts(self, draft, [text.strip() for text in found])

    return but(drafts=drafts)


@wrong("The question without white space at its ends.")
def stripped_question() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        return await Parts.search(self, searches, question.strip())

    return but(search=search)


@wrong("The functions are called with the parameter names of the lab's own ones.")
def by_keyword() -> object:
    def searches(self: Parts, documents: Any, orders: Any) -> Any:
        return Parts.searches(self, lambda question: documents(question=question), orders)

    return but(searches=searches)


@wrong("The model's name in small letters.")
def small_letters() -> object:
    return but(
        metadata=lambda self, source, reply: {
            "source": source,
            "ls_model_name": reply.model.lower(),
        },
    )


@wrong("Only the first time below the run of the function that calls it.")
def nested_once() -> object:
    pipeline: Any = but()
    kept: list[Any] = []

    async def answer(question: str, *functions: Any) -> Any:
        around = get_tracing_context()
        if around["parent"] is None or around["parent"].id in kept or not kept:
            kept.extend([around["parent"].id] if around["parent"] else [])
            return await pipeline(question, *functions)
        with tracing_context(**{**around, "parent": False}):
            return await pipeline(question, *functions)

    return answer


@right("The draft of the orders comes first.")
def orders_first() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        both = await asyncio.gather(draft("orders", found[1]), draft("documents", found[0]))
        return both[::-1]

    return but(drafts=drafts)


@right("asyncio.to_thread copies the context itself.")
def to_thread() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        return await asyncio.gather(*(asyncio.to_thread(search, question) for search in searches))

    return but(search=search)


@right("A plain pool, and a copy of the context for each call by hand.")
def context_by_hand() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(2) as pool:
            return await asyncio.gather(
                *(
                    loop.run_in_executor(pool, contextvars.copy_context().run, search, question)
                    for search in searches
                )
            )

    return but(search=search)


@right("The parent is handed over by langsmith_extra.")
def parent_by_hand() -> object:
    async def search(self: Parts, searches: Any, question: str) -> Any:
        parent, around = get_current_run_tree(), get_tracing_context()
        loop = asyncio.get_running_loop()

        def call(search: Any) -> Any:
            with tracing_context(enabled=around["enabled"], client=around["client"]):
                return search(question, langsmith_extra={"parent": parent} if parent else {})

        with ThreadPoolExecutor(2) as pool:
            return await asyncio.gather(
                *(loop.run_in_executor(pool, call, search) for search in searches)
            )

    return but(search=search)


@right("Usage in the outputs, metadata at the call.")
def usage_in_outputs() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        def shown(reply: Any) -> dict[str, Any]:
            return {"text": reply.text, "usage_metadata": self.usage(reply)}

        @traceable(run_type="llm", process_outputs=shown)
        async def draft(found: str) -> Any:
            reply = await model(f"{found}\n\n{question}")
            if run := get_current_run_tree():
                run.metadata["ls_model_name"] = reply.model
            return reply

        async def drafted(source: str, found: str) -> Any:
            extra: Any = {"metadata": {"source": source}, "tags": ["draft"]}
            return (await draft(found, langsmith_extra=extra)).text

        return drafted

    return but(drafting=drafting)


@right("The draft's run is opened with trace(...).")
def trace_block() -> object:
    def drafting(self: Parts, model: Any, question: str) -> Any:
        async def draft(source: str, found: str) -> Any:
            async with trace("draft", run_type="llm", inputs={"source": source}) as run:
                reply = await model(f"{found}\n\n{question}")
                run.add_metadata(self.metadata(source, reply))
                run.set(usage_metadata=self.usage(reply))
                run.end(outputs={"text": reply.text})
                return reply.text

        return draft

    return but(drafting=drafting)


@right("A task group for the drafts, and details of the tokens.")
def task_group() -> object:
    async def drafts(self: Parts, draft: Any, found: Any) -> Any:
        tasks = [
            asyncio.create_task(draft(*one))
            for one in zip(("documents", "orders"), found, strict=True)
        ]
        return [await task for task in tasks]

    def usage(self: Parts, reply: Any) -> Any:
        return {**Parts.usage(self, reply), "input_token_details": {"cache_read": 0}}

    return but(drafts=drafts, usage=usage)


@right("A run tree checks that the SDK is there.")
def with_types() -> object:
    def report(self: Parts, source: str, reply: Any) -> None:
        run = get_current_run_tree()
        if isinstance(run, RunTree):
            run.set(metadata=self.metadata(source, reply), usage_metadata=self.usage(reply))

    return but(report=report)


EQUIVALENT = {
    "line 24, 2 -> 3: with ContextThreadPoolExecutor(2) as pool:": "two of three threads are used"
}
