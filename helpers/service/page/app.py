"""The page. Streamlit runs this file anew, top to bottom, whenever something on the page changes.

What the service sends is shown as plain text. Markdown would let an answer load an image from
anywhere, and with the image's address carry off what stands in the conversation.
"""

import os
import re
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from helpers.service.page.client import ServiceClient, ServiceProblem
from helpers.service.page.names import KEY_VARIABLE, URL_VARIABLE

TOOL_STEPS = {
    "search_documents": "searches the documents",
    "lookup_order": "looks up an order",
    "issue_refund": "pays back",
    "hand_over": "hands over to a person",
}
STATES = {"started": "...", "ok": "done", "refused": "refused"}


@dataclass
class Step:
    """A tool that the agent calls: its name, and "started", "ok" or "refused"."""

    tool: str
    status: str

    def __str__(self) -> str:
        does = TOOL_STEPS.get(self.tool, f"uses {self.tool}")
        return f"The agent {does}: {STATES.get(self.status, self.status)}"


@dataclass
class Turn:
    """A question and what has come of it so far."""

    question: str
    request_id: str = ""
    text: str = ""
    steps: list[Step] = field(default_factory=list)
    passages: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    problem: ServiceProblem | None = None


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Fernhill support", layout="centered")
    st.title("Fernhill support")
    state = st.session_state
    if "turns" not in state:
        _begin()
    client = _side_bar()
    if not state.turns:
        st.caption("Ask about tents, delivery, returns, or one of your orders.")
    for turn in state.turns:
        _show(turn, client)
    asked = st.chat_input("Your question", disabled=client is None)
    if asked and client is not None:
        _answer(asked, client)


def _begin() -> None:
    st.session_state.turns = []
    st.session_state.conversation = None


def _side_bar() -> ServiceClient | None:
    """Address, key and state of the service; None as long as one of the first two is missing."""
    with st.sidebar:
        url = st.text_input("Address of the service", os.environ.get(URL_VARIABLE, ""))
        key = st.text_input("Your key", os.environ.get(KEY_VARIABLE, ""), type="password")
        st.button("New conversation", on_click=_begin)
        if not (url and key):
            st.info("Enter the address and the key that `course serve` printed.")
            return None
        client = _client(url, key)
        st.caption("The service is ready." if client.ready() else "The service is not ready.")
    return client


@st.cache_resource(max_entries=8)
def _client(url: str, key: str) -> ServiceClient:
    return ServiceClient(url, key)


def _answer(question: str, client: ServiceClient) -> None:
    """Show the answer while it comes, and keep it, whole or not."""
    turn = Turn(question)
    st.session_state.turns.append(turn)
    with st.chat_message("user"):
        st.text(question)
    with st.chat_message("assistant"):
        status, text = st.status("The agent is at work"), st.empty()
        try:
            for event in client.ask(question, st.session_state.conversation):
                _take(turn, event.name, event.data)
                if event.name == "tool":
                    status.update(label=str(turn.steps[-1]))
                if event.name == "token":
                    text.text(turn.text)
        except ServiceProblem as problem:
            turn.problem = problem
    st.rerun()  # draws the finished turn as every later run will


def _take(turn: Turn, name: str, data: dict[str, Any]) -> None:
    match name:
        case "start":
            turn.request_id = data["request_id"]
            st.session_state.conversation = data["conversation_id"]
        case "tool":
            _step(turn, data["name"], data["status"])
        case "sources":
            turn.passages = data["passages"]
        case "token":
            turn.text += data["text"]
        case "usage":
            turn.usage = data


def _step(turn: Turn, tool: str, status: str) -> None:
    """A call begins, or the first open one of this tool ends."""
    begun = [step for step in turn.steps if step.tool == tool and step.status == "started"]
    if status == "started" or not begun:
        turn.steps.append(Step(tool, status))
    else:
        begun[0].status = status


def _show(turn: Turn, client: ServiceClient | None) -> None:
    """A turn that has ended."""
    with st.chat_message("user"):
        st.text(turn.question)
    with st.chat_message("assistant"):
        for step in turn.steps:
            st.caption(str(step))
        if turn.text:
            st.text(turn.text)
        if turn.problem is not None:
            _show_problem(turn.problem, begun=bool(turn.text))
            return
        if turn.passages:
            with st.expander(f"Sources ({len(turn.passages)})"):
                for passage in turn.passages:
                    st.text(f"{passage['title']} ({passage['document']})\n{passage['text']}")
        if turn.usage:
            st.caption(_usage(turn.usage))
        if client is not None:
            _feedback(turn, client)


def _show_problem(problem: ServiceProblem, *, begun: bool) -> None:
    parts = [f"**{_plain(problem.title)}.** {_plain(problem.detail)}"]
    if problem.retry_after is not None:
        parts.append(f"Try again in {problem.retry_after} s.")
    if begun:
        parts.append("The text above is not the whole answer.")
    st.error(" ".join(parts))


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _usage(usage: dict[str, Any]) -> str:
    cost = usage.get("cost_usd")
    price = "no price" if cost is None else f"{1e6 * cost:.0f} millionths of a dollar"
    return (
        f"{usage['input_tokens']} tokens read, {usage['output_tokens']} written, "
        f"{usage['seconds']:.1f} s, {price}"
    )


def _feedback(turn: Turn, client: ServiceClient) -> None:
    key = f"feedback-{turn.request_id}"

    def send() -> None:
        given = st.session_state[key]
        if given is None:
            return
        try:
            client.rate(turn.request_id, 1 if given else -1)
        except ServiceProblem as problem:
            st.toast(f"Your feedback was not taken. {problem.title}. {problem.detail}")
        else:
            st.toast("Thank you. Your feedback was taken.")

    st.feedback("thumbs", key=key, on_change=send)


main()
