"""What a cache of exercise 10.2 does with requests, as texts that say who answered.

Each request is made afresh: its messages have other ids, its tool calls too, and its model is
another object with the same settings.
"""

import copy
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import StructuredTool
from langgraph.runtime import Runtime
from pydantic import PrivateAttr

from helpers.agent import Caller
from helpers.course.exercises.words import kind

CacheClass = Callable[[int, Callable[[], str]], Any]


class NotACache(TypeError):  # noqa: N818 - it says what is wrong
    """What was handed in, or what it returned, is not what the statement asks for."""


class ModelDown(Exception):  # noqa: N818 - named after what happened
    """What the check's model raises."""


class Settled(BaseChatModel):
    """A model with settings, which answers with the number of its call."""

    model_name: str = "small"
    temperature: float = 0.0
    top_p: float = 1.0
    _numbers: Iterator[int] = PrivateAttr(default_factory=lambda: itertools.count(1))

    @property
    def _llm_type(self) -> str:
        return "settled"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model_name": self.model_name,
            "temperature": self.temperature,
            "top_p": self.top_p,
        }

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=spoken(next(self._numbers)))])


def spoken(number: int, *, calls: bool = False) -> AIMessage:
    """The answer of a model to its call of this number."""
    call = {"name": "weigh", "args": {"item": number}, "id": str(uuid.uuid4())}
    return AIMessage(
        f"answer {number}",
        name="support",
        id=str(uuid.uuid4()),
        tool_calls=[call] if calls else [],
        usage_metadata={"input_tokens": 20, "output_tokens": 4, "total_tokens": 24},
        response_metadata={"model_name": "small", "token_usage": {"prompt_tokens": 20}},
    )


def _weigh(item: str) -> str:
    return f"{item}: 2.1 kg"


def _weigh_number(item: int) -> str:
    return f"{item}: 2.1 kg"


def _tool(function: Callable[..., str], name: str, description: str) -> StructuredTool:
    return StructuredTool.from_function(function, name=name, description=description)


def _as_dict(name: str, argument: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {argument: {"type": "string"}}}
    function = {"name": name, "description": "Sends a parcel.", "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS: dict[str, Any] = {
    "weigh": _tool(_weigh, "weigh", "Weighs an item."),
    "weigh, described otherwise": _tool(_weigh, "weigh", "Weighs an item in pounds."),
    "weigh, by number": _tool(_weigh_number, "weigh", "Weighs an item."),
    "look": _tool(_weigh, "look", "Weighs an item."),
    "a dict": _as_dict("send", "parcel"),
    "a dict, other argument": _as_dict("send", "number"),
}


def called(*items: str, text: str = "") -> AIMessage:
    """A message that calls `weigh` for each item; the ids of the calls are "0", "1", ..."""
    calls = [
        {"name": "weigh", "args": {"item": item}, "id": str(n)} for n, item in enumerate(items)
    ]
    return AIMessage(text, tool_calls=calls)


def told(text: str, call: int = 0) -> ToolMessage:
    """A tool's answer to the call of this number."""
    return ToolMessage(text, tool_call_id=str(call), name="weigh")


@dataclass(frozen=True)
class Asked:
    """A request, and what the model does with it: "answers", "calls" a tool, or "fails"."""

    messages: tuple[BaseMessage, ...] = (HumanMessage("How heavy is the Alta 2?"),)
    system: str | None = "Be brief."
    model: str = "small"
    temperature: float = 0.0
    top_p: float = 1.0
    settings: dict[str, Any] = field(default_factory=dict)
    choice: str | None = None
    tools: tuple[str, ...] = ("weigh",)
    version: str = "1"
    customer: str | None = "ann"
    model_does: str = "answers"

    def but(self, **changes: Any) -> "Asked":
        """The same request with some changes."""
        return replace(self, **changes)

    def request(self) -> ModelRequest[Any]:
        """A request like LangChain's, made afresh."""
        run = uuid.uuid4().hex
        return ModelRequest(
            model=Settled(model_name=self.model, temperature=self.temperature, top_p=self.top_p),
            messages=[_fresh(message, run) for message in self.messages],  # type: ignore[misc]
            system_message=None
            if self.system is None
            else SystemMessage(self.system, id=str(uuid.uuid4())),
            tool_choice=self.choice,
            tools=[TOOLS[name] for name in self.tools],
            runtime=Runtime(context=Caller(self.customer)),
            model_settings=copy.deepcopy(self.settings),
        )


def _fresh(message: BaseMessage, run: str) -> BaseMessage:
    """A message with ids of this run; those of tool calls are in no particular order."""
    new: dict[str, Any] = {"id": str(uuid.uuid4())}
    if isinstance(message, AIMessage):
        tokens = uuid.uuid4().int % 1000
        new["usage_metadata"] = {
            "input_tokens": tokens,
            "output_tokens": 1,
            "total_tokens": tokens + 1,
        }
        new["response_metadata"] = {"id": run}
        new["tool_calls"] = [call | {"id": _of_run(call["id"], run)} for call in message.tool_calls]
    if isinstance(message, ToolMessage):
        new["tool_call_id"] = _of_run(message.tool_call_id, run)
    return message.model_copy(update=new, deep=True)


def _of_run(call_id: str | None, run: str) -> str:
    return uuid.uuid5(uuid.UUID(run), str(call_id)).hex


class Documents:
    """The documents' version, which a check changes."""

    def __init__(self) -> None:
        self.now = "1"

    def version(self) -> str:
        """The version now."""
        return self.now


def made(answer: CacheClass, most: int, version: Callable[[], str]) -> Any:
    """A cache of the learner's.

    Raises:
        NotACache: it is no middleware.
    """
    cache = answer(most, version)
    if not isinstance(cache, AgentMiddleware):
        raise NotACache(f"ModelCache(...) is {kind(cache)}, and no AgentMiddleware.")
    return cache


class Desk:
    """One cache, one model and the documents' version."""

    def __init__(self, answer: CacheClass, most: int) -> None:
        self.documents = Documents()
        self.cache = made(answer, most, self.documents.version)
        self.calls = 0
        self.returned: list[AIMessage] = []
        self.while_answering: Callable[[], None] = lambda: None

    def ask(self, asked: Asked) -> str:
        """Who answered, and what: "model: answer 3", or what is wrong."""
        self.documents.now = asked.version
        request, handed = asked.request(), list[ModelResponse[Any]]()
        before = _content(request)

        def handler(given: ModelRequest[Any]) -> ModelResponse[Any]:
            if handed:
                raise NotACache("handler was called twice for one request")
            if not isinstance(given, ModelRequest) or _content(given) != before:
                raise NotACache("handler got another request than the one that came")
            self.calls += 1
            said = spoken(self.calls, calls=asked.model_does == "calls")
            handed.append(ModelResponse([said]))
            self.while_answering()
            if asked.model_does == "fails":
                raise ModelDown("overloaded")
            return handed[0]

        try:
            got = self.cache.wrap_model_call(request, handler)
        except ModelDown:
            return "ModelDown" if handed else "ModelDown, without a call of the model"
        message = _message(got)
        self.returned.append(message)
        if _content(request) != before:
            return f"{message.text}, and the request was changed"
        who = "model" if handed else "cache"
        calls = ", which calls a tool" if message.tool_calls else ""
        return f"{who}: {message.text}{calls}"


def _message(got: Any) -> AIMessage:
    if isinstance(got, ModelResponse):
        if not isinstance(got.result, list) or len(got.result) != 1:
            raise NotACache("the result of the ModelResponse is no list with one message")
        got = got.result[0]
    if not isinstance(got, AIMessage):
        raise NotACache(f"wrap_model_call returned {kind(got)}, and no ModelResponse.")
    return got


def _content(request: ModelRequest[Any]) -> list[Any]:
    return [
        [message.model_dump() for message in request.messages],
        request.system_message and request.system_message.model_dump(),
        list(map(id, request.tools)),
        id(request.model),
        request.model.asdict(),
        copy.deepcopy(request.model_settings),
        request.tool_choice,
        request.runtime.context,
    ]


def asked(answer: CacheClass, most: int, requests: Sequence[Asked]) -> list[str]:
    """Who answered each of these requests to one cache."""
    desk = Desk(answer, most)
    return [desk.ask(one) for one in requests]


def apart(answer: CacheClass, *changed: Asked) -> list[str]:
    """Who answers two requests each, first all of them and then all again, with enough room."""
    return asked(answer, 2 * len(changed), [*changed, *changed])


def each_apart(count: int) -> list[str]:
    """What `apart` should give: each is answered by the model once."""
    return [
        *(f"model: answer {n}" for n in range(1, count + 1)),
        *(f"cache: answer {n}" for n in range(1, count + 1)),
    ]


def of_a_hit(answer: CacheClass) -> dict[str, Any]:
    """What the message from a cache says of itself, three times."""
    desk = Desk(answer, 4)
    said = [desk.ask(one) for one in (Asked(), Asked(customer="ben"), *[Asked()] * 3)]
    hits = desk.returned[2:]
    usage = [sum(v for v in (m.usage_metadata or {}).values() if isinstance(v, int)) for m in hits]
    ids = [m.id for m in desk.returned if m.id is not None]
    return {
        "answers": said,
        "name": [m.name for m in hits],
        "response_metadata": [dict(m.response_metadata) for m in hits],
        "tokens": usage,
        "an id twice": len(ids) != len(set(ids)),
        "the model's answers": [
            m.usage_metadata and m.usage_metadata["total_tokens"] for m in desk.returned[:2]
        ],
    }


def spoiled(answer: CacheClass) -> list[str]:
    """Who answers, where each returned message is changed by the one who got it."""
    desk = Desk(answer, 4)
    found = []
    for _ in range(3):
        found.append(desk.ask(Asked()))
        desk.returned[-1].content = "changed"
        desk.returned[-1].response_metadata["tier"] = "changed"
    return [*found, str(desk.returned[-1].name)]


def parts_spoiled(answer: CacheClass) -> list[Any]:
    """The contents of an answer with parts, where each is changed by the one who got it."""
    cache, found = made(answer, 4, lambda: "1"), []
    for _ in range(3):
        parts: Any = [{"type": "text", "text": "2.1 kg"}]
        message = _message(
            cache.wrap_model_call(
                Asked().request(), lambda _, parts=parts: ModelResponse([AIMessage(parts)])
            )
        )
        found.append(copy.deepcopy(message.content))
        content: Any = message.content
        content[0]["text"] = "changed"
    return found


def changed_meanwhile(answer: CacheClass) -> list[str]:
    """Who answers, where the documents change while the model is answering."""
    desk = Desk(answer, 4)
    desk.while_answering = lambda: setattr(desk.documents, "now", "2")
    first = desk.ask(Asked())
    desk.while_answering = lambda: None
    return [first, desk.ask(Asked(version="2")), desk.ask(Asked()), desk.ask(Asked(version="2"))]


def two_caches(answer: CacheClass) -> list[str]:
    """Who answers, with two caches."""
    first, second = Desk(answer, 1), Desk(answer, 2)
    other = Asked(customer="ben")
    return [
        *(first.ask(Asked()), second.ask(other), second.ask(Asked()), first.ask(other)),
        *(first.ask(Asked()), second.ask(other), second.ask(Asked())),
    ]


def inputs() -> "st.SearchStrategy[tuple[Any, ...]]":
    """How many answers are kept, and requests of which many are equal."""
    texts = st.sampled_from(["a", "b", "a b", "ab", 'a", "b', "a|b", "a\nb", "None"])
    messages = st.sampled_from(
        [
            (HumanMessage("a"),),
            (HumanMessage("b"),),
            (HumanMessage("a"), AIMessage("b"), HumanMessage("a")),
            (HumanMessage("a"), AIMessage("a"), HumanMessage("a")),
            (HumanMessage("a"), HumanMessage("b"), HumanMessage("a")),
            (HumanMessage("a"), called("x"), told("a")),
            (HumanMessage("a"), called("y"), told("a")),
            (HumanMessage("a"), called("x"), told("b")),
            (HumanMessage("a"), called("x", "y"), told("a", 0), told("b", 1)),
            (HumanMessage("a"), called("x", "y"), told("a", 1), told("b", 0)),
        ]
    )
    changes = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"customer": st.none() | texts}),
        st.fixed_dictionaries({"version": texts, "customer": texts}),
        st.fixed_dictionaries({"system": st.none() | texts, "messages": messages}),
        st.fixed_dictionaries({"messages": messages}),
        st.fixed_dictionaries({"tools": st.lists(st.sampled_from(list(TOOLS)), max_size=2)}),
        st.fixed_dictionaries({"temperature": st.sampled_from([0.0, 0.5])}),
        st.fixed_dictionaries({"choice": st.sampled_from([None, "any"]), "model": texts}),
        st.fixed_dictionaries({"settings": st.sampled_from([{}, {"n": 1}, {"n": 2}])}),
    )
    does = st.sampled_from(["answers", "answers", "answers", "calls", "fails"])

    @st.composite
    def requests(draw: Any) -> list[Asked]:
        pool = [Asked(**change) for change in draw(st.lists(changes, min_size=1, max_size=4))]
        order = draw(st.lists(st.tuples(st.sampled_from(pool), does), min_size=1, max_size=9))
        return [one.but(model_does=what, tools=tuple(one.tools)) for one, what in order]

    return st.tuples(st.integers(1, 3), requests())


def shown(most: int, requests: Sequence[Asked]) -> str:
    """Requests as a card shows them: each with what differs from the plain one."""
    plain = vars(Asked())
    told = []
    for one in requests:
        other = {name: _brief(value) for name, value in vars(one).items() if value != plain[name]}
        told.append(", ".join(f"{name}={value}" for name, value in other.items()) or "plain")
    return f"ModelCache({most}, version), asked: {'; '.join(told)}"


def _brief(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], BaseMessage):
        calls = [
            f"{m.type} {m.content!r}"
            + "".join(f" calls {c['args']['item']}" for c in getattr(m, "tool_calls", []))
            + (f" for call {m.tool_call_id}" if isinstance(m, ToolMessage) else "")
            for m in value
        ]
        return f"[{', '.join(calls)}]"
    return repr(value)
