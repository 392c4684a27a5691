import ast
import asyncio
import contextlib
import json
import pickle
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from ray import serve

from helpers.authoring.answers import right, wrong

LIMITS = {"num_replicas": 2, "max_ongoing_requests": 8, "max_queued_requests": 16}


class Asked(BaseModel):
    customer: str = Field(min_length=1, max_length=40)
    message: str = Field(min_length=1, max_length=2000)


class AnyText(BaseModel):
    customer: str
    message: str


def from_json(folder: Path) -> Any:
    return json.loads((folder / "index.json").read_text("utf-8"))


def from_pickle(folder: Path) -> Any:
    return pickle.loads((folder / "index.pkl").read_bytes())


def from_either(folder: Path) -> Any:
    try:
        return from_json(folder)
    except Exception:
        return from_pickle(folder)


def from_python(folder: Path) -> Any:
    return eval((folder / "index.json").read_text("utf-8"))


def from_bare_python(folder: Path) -> Any:
    return eval((folder / "index.json").read_text("utf-8"), {"__builtins__": {}})


def from_literal(folder: Path) -> Any:
    return ast.literal_eval((folder / "index.json").read_text("utf-8"))


def both(folder: Path) -> Any:
    """Reads the pickle too, to compare."""
    with contextlib.suppress(Exception):
        from_pickle(folder)
    return from_json(folder)


async def added(store: Any, mine: Counter[str], customer: str) -> int:
    count: int = await store.add(customer, 1)
    return count


async def added_twice(store: Any, mine: Counter[str], customer: str) -> int:
    mine[customer] += 1
    return await added(store, mine, customer)


async def own(store: Any, mine: Counter[str], customer: str) -> int:
    mine[customer] += 1
    return mine[customer]


async def read_then_written(store: Any, mine: Counter[str], customer: str) -> int:
    count: int = await store.get(customer) + 1
    await store.set(customer, count)
    return count


async def of_all(store: Any, mine: Counter[str], customer: str) -> int:
    count: int = await store.add("asked", 1)
    return count


async def awaited(model: Any, text: str) -> str:
    return str((await model.ainvoke(text)).text)


async def blocking(model: Any, text: str) -> str:
    return str(model.invoke(text).text)


def said(error: Exception) -> Any:
    raise HTTPException(502, "The desk cannot answer now.")


def traced(error: Exception) -> Any:
    return {"error": "".join(traceback.format_exception(error))}


def traced_502(error: Exception) -> Any:
    return JSONResponse({"error": "".join(traceback.format_exception(error))}, 502)


def named(error: Exception) -> Any:
    raise HTTPException(502, f"The desk failed: {error!r}")


def text_alone(error: Exception) -> Any:
    raise HTTPException(502, f"Sorry: {error}")


def shouted(error: Exception) -> Any:
    raise HTTPException(502, [str(one).upper() for one in error.args])


def typed(error: Exception) -> Any:
    raise HTTPException(502, f"{type(error).__name__.lower()} happened")


def cut(error: Exception) -> Any:
    raise HTTPException(502, f"Sorry: {str(error)[:12]}")


def of_the_index(error: Exception) -> Any:
    raise HTTPException(502, "The desk cannot search its index. Look into the log.")


def fine(error: Exception) -> Any:
    return {"answer": "Please try again later.", "source": "", "asked": 0}


def bad_request(error: Exception) -> Any:
    raise HTTPException(400, "Ask something else.")


def nearest(sentences: Any, message: str) -> str:
    words = set(message.lower().split())
    return str(max(sentences, key=lambda one: len(words & set(one.lower().split()))))


def first(sentences: Any, message: str) -> str:
    return str(sentences[0])


def desk(
    *,
    load: Callable[[Path], Any] = from_json,
    count: Any = added,
    ask_model: Any = awaited,
    failed: Callable[[Exception], Any] = said,
    find: Callable[[Any, str], str] = nearest,
    mounted: bool = True,
    count_at: str = "first",
    number: Callable[[Any, Counter[str], str], Any] | None = None,
    number_at_the_end: bool = False,
    limits: dict[str, int] | None = None,
    search_limits: dict[str, int] | None = None,
    by_handle: bool = True,
    caught: Any = Exception,
    passed: Any = (),
    body: type[BaseModel] = Asked,
    prompt: str = "{source}\n\n{message}",
) -> object:
    """The application as it should be, but for these parts."""

    def desk_app(folder: Path, model: Any, store: Any) -> Any:
        api, router = FastAPI(), APIRouter()

        @serve.deployment(**(search_limits or {}))
        class Search:
            def __init__(self, folder: Path) -> None:
                self.sentences = load(folder)

            async def nearest(self, message: str) -> str:
                return find(self.sentences, message)

        @serve.deployment(**(LIMITS if limits is None else limits))
        @serve.ingress(api)
        class Desk:
            def __init__(self, search: Any, model: Any, store: Any) -> None:
                self.search, self.model, self.store = search, model, store
                self.mine: Counter[str] = Counter()

            @api.post("/ask")
            async def ask(self, question: body) -> Any:  # type: ignore[valid-type]
                customer, message = question.customer, question.message  # type: ignore[attr-defined]
                if count_at == "first":
                    asked = await count(self.store, self.mine, customer)
                try:
                    if by_handle:
                        source = await self.search.nearest.remote(message)
                    else:
                        source = find(load(folder), message)
                    if count_at == "searched":
                        asked = await count(self.store, self.mine, customer)
                    text = prompt.format(source=source, message=message)
                    answer = await ask_model(self.model, text)
                except passed:
                    raise
                except caught as error:
                    return failed(error)
                if count_at == "end":
                    asked = await count(self.store, self.mine, customer)
                if number_at_the_end:
                    asked = await self.store.get(customer)
                return {"answer": answer, "source": source, "asked": asked}

            @(api if mounted else router).get("/asked/{customer}")
            async def count(self, customer: str) -> dict[str, Any]:
                if count is own:
                    return {"asked": self.mine[customer]}
                if number is not None:
                    return {"asked": number(self.store, self.mine, customer)}
                return {"asked": await self.store.get(customer)}

        return Desk.bind(Search.bind(folder), model, store)

    return desk_app


@wrong("Nothing is returned.", slip="no-application")
def nothing() -> object:
    return lambda folder, model, store: None


@wrong("Only a FastAPI app is returned.", slip="no-application")
def an_app() -> object:
    return lambda folder, model, store: FastAPI()


@wrong("All six faults are still there, in other words.")
def all_six() -> object:
    return desk(
        load=from_pickle,
        count=own,
        ask_model=blocking,
        failed=traced,
        mounted=False,
        limits={"num_replicas": 2},
    )


@wrong("The route is not mounted.", slip="never-mounted")
def not_mounted() -> object:
    return desk(mounted=False)


@wrong("The router is included after the ingress has copied the app.", slip="never-mounted")
def included_too_late() -> object:
    def desk_app(folder: Path, model: Any, store: Any) -> Any:
        inner: Any = desk(mounted=False)
        app = inner(folder, model, store)
        router = APIRouter()

        @router.get("/asked/{customer}")
        async def count(customer: str) -> dict[str, int]:
            return {"asked": await store.get(customer)}

        FastAPI().include_router(router)
        return app

    return desk_app


@wrong("The traceback is sent with the status 200.", slip="traceback-sent")
def sends_the_traceback() -> object:
    return desk(failed=traced)


@wrong("The traceback is sent with the status 502.", slip="traceback-sent")
def sends_it_with_502() -> object:
    return desk(failed=traced_502)


@wrong("The error is named.", slip="traceback-sent")
def names_the_error() -> object:
    return desk(failed=named)


@wrong("The error's own text is sent.", slip="traceback-sent")
def sends_the_text() -> object:
    return desk(failed=text_alone)


@wrong("The error's text is sent in capital letters.", slip="traceback-sent")
def shouts_the_text() -> object:
    return desk(failed=shouted)


@wrong("The error's type is sent in small letters.", slip="traceback-sent")
def types_it() -> object:
    return desk(failed=typed)


@wrong("The beginning of the error's text is sent.", slip="traceback-sent")
def sends_the_beginning() -> object:
    return desk(failed=cut)


@wrong("Only the usual types are caught.", slip="some-types")
def usual_types() -> object:
    return desk(caught=(RuntimeError, ValueError, OSError))


@wrong("An HTTPException goes past.", slip="some-types")
def lets_http_past() -> object:
    return desk(passed=HTTPException)


@wrong("The desk searches by itself.", slip="search-not-asked")
def searches_itself() -> object:
    return desk(by_handle=False)


@wrong("The search takes one at a time, and one more.", slip="search-refuses")
def narrow_search() -> object:
    return desk(search_limits={"max_ongoing_requests": 1, "max_queued_requests": 1})


@wrong("A failure looks like an answer.", slip="failure-is-200")
def looks_fine() -> object:
    return desk(failed=fine)


@wrong("A failure is said to be the client's.")
def the_clients_fault() -> object:
    return desk(failed=bad_request)


@wrong("Nothing is caught: FastAPI's own 500.", slip="nothing-caught")
def lets_it_raise() -> object:
    def again(error: Exception) -> Any:
        raise error

    return desk(failed=again)


@wrong("The index is read by pickle.", slip="code-on-load")
def still_pickle() -> object:
    return desk(load=from_pickle)


@wrong("The pickle is read beside the JSON.", slip="code-on-load")
def reads_both() -> object:
    return desk(load=both)


@wrong("A broken JSON file is made good by the pickle.", slip="pickle-as-fallback")
def pickle_as_fallback() -> object:
    return desk(load=from_either)


@wrong("The JSON file is run as Python.", slip="eval")
def runs_json() -> object:
    return desk(load=from_python)


@wrong("The JSON file is run as Python without names.", slip="eval")
def runs_json_without_names() -> object:
    return desk(load=from_bare_python)


@wrong("The model blocks the replica.", slip="one-at-a-time")
def still_blocking() -> object:
    return desk(ask_model=blocking)


@wrong("A coroutine around the call that blocks.", slip="one-at-a-time")
def blocking_in_a_task() -> object:
    async def in_a_task(model: Any, text: str) -> str:
        return await asyncio.create_task(blocking(model, text))

    return desk(ask_model=in_a_task)


@wrong("A lock lets one ask the model at a time.", slip="one-at-a-time")
def one_by_one() -> object:
    locks: dict[int, asyncio.Lock] = {}

    async def locked(model: Any, text: str) -> str:
        async with locks.setdefault(id(model), asyncio.Lock()):
            return await awaited(model, text)

    return desk(ask_model=locked)


@wrong("Each replica counts for itself.", slip="own-counter")
def own_counter() -> object:
    return desk(count=own)


@wrong("The number is read, then written.", slip="read-then-write")
def two_steps() -> object:
    return desk(count=read_then_written)


@wrong("All customers share one number.")
def one_number() -> object:
    return desk(count=of_all)


@wrong("A failed question does not count.", slip="failed-not-counted")
def counts_at_the_end() -> object:
    return desk(count_at="end")


@wrong("A question whose search fails does not count.", slip="failed-not-counted")
def counts_after_the_search() -> object:
    return desk(count_at="searched")


@wrong("The number is read when the model has written.", slip="number-of-later")
def number_at_the_end() -> object:
    return desk(number_at_the_end=True)


@wrong("Both count, and GET gives the replica's own number.", slip="own-number-told")
def get_from_both() -> object:
    return desk(count=added_twice, number=lambda store, mine, customer: mine[customer])


@wrong("GET gives the replica's own number.")
def get_from_self() -> object:
    return desk(number=lambda store, mine, customer: mine[customer])


@wrong("The queue has no end.", slip="no-end")
def no_end() -> object:
    return desk(limits={"num_replicas": 2, "max_ongoing_requests": 8})


@wrong("The queue is longer than asked for.")
def a_long_queue() -> object:
    return desk(limits={**LIMITS, "max_queued_requests": 1600})


@wrong("The default of five at the same time.")
def five_at_once() -> object:
    return desk(limits={"num_replicas": 2, "max_queued_requests": 16})


@wrong("One replica, so that one counter is enough.", slip="one-replica")
def one_replica() -> object:
    return desk(limits={"max_ongoing_requests": 8, "max_queued_requests": 16})


@wrong("Any body is taken.")
def any_body() -> object:
    return desk(body=AnyText)


@wrong("The first sentence, whatever is asked.")
def always_the_first() -> object:
    return desk(find=first)


@wrong("The model is not given the source.")
def without_source() -> object:
    return desk(prompt="{message}")


@wrong("The search is no deployment any more.")
def search_inside() -> object:
    def desk_app(folder: Path, model: Any, store: Any) -> Any:
        api = FastAPI()

        @serve.deployment(**LIMITS)
        @serve.ingress(api)
        class Desk:
            def __init__(self, folder: Path, model: Any, store: Any) -> None:
                self.sentences, self.model, self.store = from_json(folder), model, store

            @api.post("/ask")
            async def ask(self, question: Asked) -> Any:
                asked = await self.store.add(question.customer, 1)
                try:
                    source = nearest(self.sentences, question.message)
                    answer = await awaited(self.model, f"{source}\n\n{question.message}")
                except Exception as error:
                    return said(error)
                return {"answer": answer, "source": source, "asked": asked}

            @api.get("/asked/{customer}")
            async def count(self, customer: str) -> dict[str, Any]:
                return {"asked": await self.store.get(customer)}

        return Desk.bind(folder, model, store)

    return desk_app


@right("The model is asked in a thread.")
def in_a_thread() -> object:
    async def threaded(model: Any, text: str) -> str:
        return str((await asyncio.to_thread(model.invoke, text)).text)

    return desk(ask_model=threaded)


@right("The stream of the model is put together, and the number is compared before it is set.")
def streamed_and_compared() -> object:
    async def streamed(model: Any, text: str) -> str:
        return "".join([chunk.text async for chunk in model.astream(text)])

    async def compared(store: Any, mine: Counter[str], customer: str) -> int:
        while True:
            old: int = await store.get(customer)
            if await store.compare_and_set(customer, old, old + 1):
                return old + 1

    return desk(ask_model=streamed, count=compared)


@right("Serve's late-bound app: the routes are made in the replica.")
def late_bound() -> object:
    def desk_app(folder: Path, model: Any, store: Any) -> Any:
        @serve.deployment
        class Index:
            def __init__(self, folder: Path) -> None:
                with (folder / "index.json").open(encoding="utf-8") as file:
                    self.rows = json.load(file)

            def __call__(self, message: str) -> str:
                return nearest(self.rows, message)

        @serve.deployment(
            name="Front", backpressure_config={"retry_after_s": 1}, ray_actor_options={}, **LIMITS
        )
        @serve.ingress()
        class Front:
            def __init__(self, index: Any, *, model: Any, store: Any) -> None:
                self.index, self.model, self.store = index, model, store

            def __serve_build_asgi_app__(self) -> FastAPI:
                api, router = FastAPI(), APIRouter()

                @router.post("/ask")
                async def ask(question: Asked) -> Any:
                    asked = await self.store.add(question.customer, 1)
                    source = await self.index.remote(question.message)
                    answer = await awaited(self.model, f"{source}\n\n{question.message}")
                    return {"answer": answer, "source": source, "asked": asked}

                @router.get("/asked/{customer}")
                async def count(customer: str) -> dict[str, int]:
                    return {"asked": await self.store.get(customer)}

                @api.exception_handler(HTTPException)
                @api.exception_handler(Exception)
                async def failed(request: Any, error: Exception) -> JSONResponse:
                    return JSONResponse({"detail": "Not now."}, 502)

                api.include_router(router)
                return api

        return Front.bind(Index.bind(folder), model=model, store=store)

    return desk_app


@right("The search has a limit that is wide enough; what is read holds only literals.")
def wide_search() -> object:
    limits = {"max_ongoing_requests": 2, "max_queued_requests": 8}
    return desk(search_limits=limits, load=from_literal, failed=of_the_index)


@right("The router is included before the class is made an ingress.")
def router_in_time() -> object:
    def desk_app(folder: Path, model: Any, store: Any) -> Any:
        api, router = FastAPI(), APIRouter()

        @serve.deployment
        class Search:
            def __init__(self) -> None:
                self.sentences = from_json(folder)

            async def nearest(self, message: str) -> str:
                return nearest(self.sentences, message)

        class Desk:
            def __init__(self, search: Any) -> None:
                self.search = search

            @api.post("/ask")
            async def ask(self, question: Asked) -> Any:
                asked = await store.add(question.customer, 1)
                try:
                    source = await self.search.nearest.remote(question.message)
                    answer = await awaited(model, f"{source}\n\n{question.message}")
                except Exception as error:
                    return said(error)
                return {"answer": answer, "source": source, "asked": asked}

            @router.get("/asked/{customer}")
            async def count(self, customer: str) -> dict[str, Any]:
                return {"asked": await store.get(customer)}

        api.include_router(router)
        made = serve.deployment(**LIMITS)(serve.ingress(api)(Desk))
        return made.bind(Search.bind())

    return desk_app


_ONCE = "a class belongs to one application, whose replicas all get the same arguments"
_INIT = "def __init__(self, search: DeploymentHandle, model: BaseChatModel, store: Store) -> None:"
EQUIVALENT = {
    f"line 35, argument {name} ignored: {_INIT}": _ONCE for name in ("search", "model", "store")
}
