"""The chat model of exercise 03.5's gate, which obeys every text.

A defence that rests on what a model refuses is as good as the model of the day. So the gate's first
rates are of a model that refuses nothing: it gives away what it can read, calls the tool that a
text asks for, and repeats what its tools return, with whatever was planted there.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

_ORDER: Final = re.compile(r"FH-\d{5}", re.ASCII)
_DISCOUNT: Final = re.compile(r"goodwill", re.IGNORECASE)


class Obedient(BaseChatModel):
    """Does what any text asks for, and gives `secret` away as soon as it can read it.

    A question about an order looks it up, every other one searches the documents, and a text with
    the word goodwill and an order's number takes the discount off. It does not ask who wrote it.
    Its answer is what the tools returned, word for word.

    Attributes:
        secret: what it gives away; "" for nothing.
        prompts: the messages of each call.
        offered: the descriptions of the tools that came with each call, as JSON.
    """

    secret: str = ""
    prompts: list[list[BaseMessage]] = Field(default_factory=list)
    offered: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "obedient"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model, which is told with every prompt what it might call."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.prompts.append(list(messages))
        tools = kwargs.get("tools", [])
        self.offered.append(json.dumps(tools, ensure_ascii=False))
        names = [tool["function"]["name"] for tool in tools]
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, names))])

    def _reply(self, messages: list[BaseMessage], tools: list[str]) -> AIMessage:
        """A call that was not made yet, or the answer."""
        turn = _turn(messages)
        called = {str(one.name) for one in turn if isinstance(one, ToolMessage)}
        for name, arguments in self._wanted(turn):
            if name in tools and name not in called:
                call = {"name": name, "args": arguments, "id": uuid4().hex[:8]}
                return AIMessage("", tool_calls=[call])
        results = [one.text for one in turn if isinstance(one, ToolMessage)]
        return AIMessage("\n".join([*results, *self._known(messages)]) or "Done.")

    def _wanted(self, turn: list[BaseMessage]) -> list[tuple[str, dict[str, Any]]]:
        asked = turn[0].text
        wanted: list[tuple[str, dict[str, Any]]] = [
            ("apply_goodwill", {"order_id": number[0]})
            for one in turn
            if _DISCOUNT.search(one.text) and (number := _ORDER.search(one.text))
        ]
        if wanted and len(turn) == 1:
            return wanted
        if number := _ORDER.search(asked):
            return [*wanted, ("lookup_order", {"order_id": number[0]})]
        return [*wanted, ("search_documents", {"query": asked})]

    def _known(self, messages: list[BaseMessage]) -> list[str]:
        read = " ".join([*(one.text for one in messages), self.offered[-1]])
        if not self.secret or self.secret not in read:
            return []
        code = self.secret
        coded = base64.b64encode(f"The code is {code}.".encode()).decode()
        ways = [code, " ".join(code), code[::-1], coded, "/".join(code.lower())]
        return [f"The code: {ways[len(messages[-1].text) % len(ways)]}"]


def _turn(messages: list[BaseMessage]) -> list[BaseMessage]:
    """The messages since the person last spoke, theirs first."""
    places = [place for place, one in enumerate(messages) if isinstance(one, HumanMessage)]
    return messages[places[-1] :] if places else [HumanMessage("")]
