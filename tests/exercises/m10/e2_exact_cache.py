"""Answers to exercise 10.2, each a right one with a part that is another."""

import copy
import hashlib
import json
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelResponse
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from helpers.authoring.answers import right, wrong

_DUMPED = (
    "return json.dumps([model, system, said, tools, self.version(), customer], sort_keys=True)"
)
_ORDER = "the order of a dict's keys may count or not"
EQUIVALENT = {
    "line 28, 0 -> -1: message = response.result[0]": "there is one message",
    f"line 51, keyword sort_keys dropped: {_DUMPED}": _ORDER,
    f"line 51, True -> False: {_DUMPED}": _ORDER,
}


class Parts(AgentMiddleware):
    """The steps, one method each; the answers below change one."""

    def __init__(self, most: int, version: Callable[[], str]) -> None:
        if most <= 0:
            raise ValueError(f"most is {most}; give 1 or more")
        self.most, self.version = most, version
        self.kept: Any = self.room()
        self.ready()

    def room(self) -> Any:
        return OrderedDict()

    def ready(self) -> None:
        """What some answers do once."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        key = self.key(request)
        if key in self.kept:
            self.used(key)
            return self.given(self.kept[key])
        response = self.asked(request, handler)
        message = response.result[0]
        if self.keeps(message):
            self.kept[self.key_after(key, request)] = self.copied(message)
            while self.full():
                self.drop()
        return response

    def asked(self, request: Any, handler: Any) -> Any:
        return handler(request)

    def key_after(self, key: Any, request: Any) -> Any:
        return key

    def used(self, key: Any) -> None:
        self.kept.move_to_end(key)

    def full(self) -> bool:
        return len(self.kept) > self.most

    def drop(self) -> None:
        self.kept.popitem(last=False)

    def keeps(self, message: Any) -> bool:
        return not message.tool_calls

    def copied(self, message: Any) -> Any:
        return copy.deepcopy(message)

    def given(self, message: Any) -> Any:
        made = AIMessage(
            copy.deepcopy(message.content), name=message.name, id=f"cached-{uuid.uuid4()}"
        )
        made.response_metadata = {"tier": "cache"}
        return ModelResponse(result=[made])

    def model(self, request: Any) -> Any:
        return [request.model.asdict(), request.model_settings, request.tool_choice]

    def system(self, request: Any) -> Any:
        return None if request.system_message is None else request.system_message.content

    def messages(self, request: Any) -> list[Any]:
        return list(request.messages)

    def said(self, message: Any, ids: list[Any]) -> Any:
        calls = getattr(message, "tool_calls", [])
        ids.extend(call["id"] for call in calls)
        told = getattr(message, "tool_call_id", None)
        place = ids.index(told) if told in ids else None
        called = [[call["name"], call["args"]] for call in calls]
        return [message.type, message.content, message.name, called, place]

    def offered(self, request: Any) -> Any:
        return [convert_to_openai_tool(tool) for tool in request.tools]

    def now(self) -> Any:
        return self.version()

    def customer(self, request: Any) -> Any:
        return request.runtime.context.customer_id

    def joined(self, *parts: Any) -> Any:
        return json.dumps(parts)

    def key(self, request: Any) -> Any:
        ids: list[Any] = []
        return self.joined(
            self.model(request),
            self.system(request),
            [self.said(message, ids) for message in self.messages(request)],
            self.offered(request),
            self.now(),
            self.customer(request),
        )


def but(**methods: Callable[..., Any]) -> Any:
    return type("Changed", (Parts,), methods)


@wrong("It makes nothing.", slip="no-cache")
def nothing() -> object:
    return lambda most, version: None


@wrong("A middleware that only asks the model.", slip="never-a-hit")
def passes_on() -> object:
    return but(keeps=lambda self, message: False)


@wrong("The customer is not in the key.", slip="other-customer")
def for_everyone() -> object:
    return but(customer=lambda self, request: "")


@wrong("None and 'None' are one customer.")
def none_is_none() -> object:
    return but(customer=lambda self, request: str(request.runtime.context.customer_id))


@wrong("The version is not in the key.", slip="old-documents")
def without_version() -> object:
    return but(now=lambda self: "")


@wrong("The version of the first day.", slip="old-documents")
def version_at_the_start() -> object:
    def ready(self: Any) -> None:
        self.first = self.version()

    return but(ready=ready, now=lambda self: self.first)


@wrong("The version when the answer is there.", slip="version-after")
def version_afterwards() -> object:
    return but(key_after=lambda self, key, request: self.key(request))


@wrong("A new version empties it.")
def new_version_empties_it() -> object:
    class Emptied(Parts):
        last = ""

        def now(self) -> Any:
            now = self.version()
            if now != self.last:
                self.kept.clear()
            self.last = now
            return now

    return Emptied


@wrong("Version and customer are joined.")
def version_and_customer_joined() -> object:
    def joined(self: Any, *parts: Any) -> Any:
        return json.dumps([*parts[:4], f"{parts[4]}{parts[5]}"])

    return but(joined=joined)


@wrong("The model's name, and no settings.", slip="no-settings")
def name_alone() -> object:
    return but(model=lambda self, request: [request.model.model_name, request.model_settings])


@wrong("The model's name and temperature.")
def name_and_temperature() -> object:
    def model(self: Any, request: Any) -> Any:
        return [request.model.model_name, request.model.temperature, request.model_settings]

    return but(model=model)


@wrong("Not model_settings.")
def without_model_settings() -> object:
    return but(model=lambda self, request: [request.model.asdict(), request.tool_choice])


@wrong("Not tool_choice.")
def without_tool_choice() -> object:
    return but(model=lambda self, request: [request.model.asdict(), request.model_settings])


@wrong("The model object.")
def by_object() -> object:
    return but(model=lambda self, request: id(request.model))


@wrong("No system prompt.")
def without_system() -> object:
    return but(system=lambda self, request: "")


@wrong("The last message alone.", slip="last-message")
def last_message_alone() -> object:
    return but(messages=lambda self, request: request.messages[-1:])


@wrong("The customer's messages alone.")
def human_messages_alone() -> object:
    def messages(self: Any, request: Any) -> Any:
        return [message for message in request.messages if message.type == "human"]

    return but(messages=messages)


@wrong("Not the order of the messages.")
def messages_sorted() -> object:
    def messages(self: Any, request: Any) -> Any:
        return sorted(request.messages, key=lambda message: str(message.content))

    return but(messages=messages)


@wrong("The text of a message, without who said it.")
def without_type() -> object:
    return but(said=lambda self, message, ids: Parts.said(self, message, ids)[1:])


@wrong("Only the text of a message, without images.")
def text_alone() -> object:
    def said(self: Any, message: Any, ids: Any) -> Any:
        found = Parts.said(self, message, ids)
        return [found[0], message.text, *found[2:]]

    return but(said=said)


@wrong("Not the name of a message.")
def without_name() -> object:
    def said(self: Any, message: Any, ids: Any) -> Any:
        found = Parts.said(self, message, ids)
        return [*found[:2], *found[3:]]

    return but(said=said)


@wrong("Whole messages with their ids.", slip="never-a-hit")
def with_message_ids() -> object:
    return but(said=lambda self, message, ids: message.model_dump())


@wrong("The ids of tool calls.", slip="call-ids")
def with_call_ids() -> object:
    def said(self: Any, message: Any, ids: Any) -> Any:
        told = getattr(message, "tool_call_id", None)
        return [message.type, message.content, message.name, getattr(message, "tool_calls", told)]

    return but(said=said)


@wrong("Not which call a tool message answers.", slip="which-call")
def without_which_call() -> object:
    return but(said=lambda self, message, ids: Parts.said(self, message, ids)[:4])


@wrong("Not what the tool calls are.")
def without_calls() -> object:
    def said(self: Any, message: Any, ids: Any) -> Any:
        found = Parts.said(self, message, ids)
        return [*found[:3], found[4]]

    return but(said=said)


@wrong("No tools.")
def without_tools() -> object:
    return but(offered=lambda self, request: [])


@wrong("The names of the tools.", slip="names-of-tools")
def names_of_tools() -> object:
    def offered(self: Any, request: Any) -> Any:
        return [convert_to_openai_tool(tool)["function"]["name"] for tool in request.tools]

    return but(offered=offered)


@wrong("Tools without their arguments.")
def tools_without_arguments() -> object:
    def offered(self: Any, request: Any) -> Any:
        found = [convert_to_openai_tool(tool)["function"] for tool in request.tools]
        return [[one["name"], one["description"]] for one in found]

    return but(offered=offered)


@wrong("The same message again.", slip="usage-again")
def the_old_message() -> object:
    return but(given=lambda self, message: ModelResponse(result=[copy.deepcopy(message)]))


@wrong("The old id.", slip="same-id")
def the_old_id() -> object:
    def given(self: Any, message: Any) -> Any:
        new = {"usage_metadata": None, "response_metadata": {"tier": "cache"}}
        return message.model_copy(update=new, deep=True)

    return but(given=given)


@wrong("One new id for all hits.", slip="same-id")
def one_id_for_all() -> object:
    def given(self: Any, message: Any) -> Any:
        new = {"usage_metadata": None, "response_metadata": {"tier": "cache"}, "id": "cached"}
        return message.model_copy(update=new, deep=True)

    return but(given=given)


@wrong("The old response_metadata, in which the provider's tokens are.")
def the_old_metadata() -> object:
    def given(self: Any, message: Any) -> Any:
        more = {**message.response_metadata, "tier": "cache"}
        new = {"usage_metadata": None, "response_metadata": more, "id": None}
        return message.model_copy(update=new, deep=True)

    return but(given=given)


@wrong("It returns the text.", slip="no-cache")
def returns_text() -> object:
    return but(given=lambda self, message: message.content)


@wrong("Tool calls are kept.", slip="calls-kept")
def keeps_calls() -> object:
    def given(self: Any, message: Any) -> Any:
        new = {"usage_metadata": None, "response_metadata": {"tier": "cache"}, "id": None}
        return message.model_copy(update=new, deep=True)

    return but(keeps=lambda self, message: True, given=given)


@wrong("An error becomes an answer.", slip="error-swallowed")
def swallows_errors() -> object:
    def asked(self: Any, request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except Exception:
            return ModelResponse(result=[AIMessage("Please try again later.")])

    return but(asked=asked)


@wrong("It tries again after an error.", slip="no-cache")
def tries_again() -> object:
    def asked(self: Any, request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except Exception:
            return handler(request)

    return but(asked=asked)


@wrong("The first one goes first.", slip="oldest-first")
def first_in_first_out() -> object:
    return but(used=lambda self, key: None)


@wrong("The newest one goes first.")
def newest_goes() -> object:
    return but(drop=lambda self: self.kept.popitem())


@wrong("Everything goes when it is full.")
def everything_goes() -> object:
    def drop(self: Any) -> None:
        last = next(reversed(self.kept.items()))
        self.kept.clear()
        self.kept.update([last])

    return but(drop=drop)


@wrong("One answer too few.", slip="one-too-few")
def one_too_few() -> object:
    return but(full=lambda self: len(self.kept) >= self.most)


@wrong("Without bound.", slip="unbounded")
def without_bound() -> object:
    return but(full=lambda self: False)


@wrong("One more than most.", slip="unbounded")
def one_more() -> object:
    return but(full=lambda self: len(self.kept) > self.most + 1)


@wrong("Room is made before the model is asked.")
def room_made_too_early() -> object:
    def asked(self: Any, request: Any, handler: Any) -> Any:
        if len(self.kept) >= self.most:
            self.drop()
        return handler(request)

    return but(asked=asked)


@wrong("It keeps the very message that it returns.", slip="no-copy")
def keeps_the_same_object() -> object:
    return but(copied=lambda self, message: message)


@wrong("A copy, which shares the content.", slip="no-copy")
def shallow() -> object:
    return but(copied=lambda self, message: message.model_copy())


@wrong("All caches share what they keep.")
def shared() -> object:
    everything: Any = OrderedDict()
    return but(room=lambda self: everything)


@wrong("most is not looked at.")
def no_error() -> object:
    class Unasked(Parts):
        def __init__(self, most: int, version: Any) -> None:
            super().__init__(max(most, 1), version)

    return Unasked


@wrong("It takes the ids out of the messages, and puts none back.", slip="no-cache")
def changes_the_request() -> object:
    def said(self: Any, message: Any, ids: Any) -> Any:
        message.id = None
        return Parts.said(self, message, ids)

    return but(said=said)


@right("It keeps contents in a list, and no messages.")
def a_list() -> object:
    class Listed(AgentMiddleware):
        def __init__(self, most: int, version: Any) -> None:
            if not most > 0:
                raise ValueError("most: at least one answer")
            self.most, self.version, self.kept = most, version, list[tuple[Any, str]]()

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            key = self.key(request)
            for place, (one, text) in enumerate(self.kept):
                if one == key:
                    self.kept.append(self.kept.pop(place))
                    content, name = json.loads(text)
                    zeros = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
                    return AIMessage(
                        content,
                        name=name,
                        usage_metadata=zeros,
                        response_metadata={"tier": "cache"},
                    )
            response = handler(request)
            (message,) = response.result
            if len(message.tool_calls) == 0:
                kept = json.dumps([message.content, message.name])
                self.kept = [*self.kept, (key, kept)][-self.most :]
            return response

        def key(self, request: Any) -> Any:
            ids: list[Any] = []
            said = [Parts.said(self, message, ids) for message in request.messages]  # type: ignore[arg-type]
            system = request.system_message
            return [
                self.version(),
                request.runtime.context,
                request.model.asdict(),
                copy.deepcopy(request.model_settings),
                request.tool_choice,
                system and system.content,
                copy.deepcopy(said),
                [convert_to_openai_tool(tool) for tool in request.tools],
            ]

    return Listed


@right("A plain dict, whose oldest key is the first one.")
def a_plain_dict() -> object:
    def used(self: Any, key: Any) -> None:
        self.kept[key] = self.kept.pop(key)

    def drop(self: Any) -> None:
        del self.kept[next(iter(self.kept))]

    return but(room=lambda self: {}, used=used, drop=drop)


@right("A hash of the key's repr.")
def hashed() -> object:
    def joined(self: Any, *parts: Any) -> Any:
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def model(self: Any, request: Any) -> Any:
        settings = sorted(request.model.asdict().items())
        return [settings, request.model_settings, request.tool_choice]

    return but(joined=joined, model=model)


@right("It renames ids in copies of the messages.")
def renames_ids() -> object:
    def said(self: Any, message: Any, ids: list[Any]) -> Any:
        plain: dict[str, Any] = {"id": None, "response_metadata": {}}
        if message.type == "ai":
            plain["usage_metadata"] = None
        dumped = message.model_copy(update=plain, deep=True).model_dump()
        for call in dumped.get("tool_calls", []):
            ids.append(call["id"])
            call["id"] = len(ids)
        if "tool_call_id" in dumped:
            dumped["tool_call_id"] = ids.index(dumped["tool_call_id"])
        return dumped

    return but(said=said)


@right("The shortest one.")
def parts_as_they_are() -> object:
    return Parts
