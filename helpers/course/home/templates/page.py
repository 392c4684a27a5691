"""A chat page on the service: `streamlit run page.py`."""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

CUT_OFF = "The answer was cut off."
PATIENCE = httpx2.Timeout(10, read=120)  # seconds; a full service lets a request wait


class ServiceError(Exception):
    """There is no answer, or only a part of it; the message says why."""


@dataclass
class Turn:
    """A question, what has come of its answer, and why that is not all of it."""

    question: str
    answer: str = ""
    problem: str = CUT_OFF
    asked: bool = False


def events(message: str, conversation: str) -> Iterator[tuple[str, str]]:
    """("token", words) while the answer comes, and at the end ("done", the whole answer).

    Raises:
        ServiceError: the service cannot be reached, refuses, fails, or ends without "done".
    """
    url = os.environ.get("SERVICE_URL") or "http://127.0.0.1:8000"
    headers = {"Authorization": f"Bearer {os.environ['SERVICE_KEY'].strip()}"}
    body = {"message": message, "conversation": conversation}
    try:
        with httpx2.stream(
            "POST", f"{url.rstrip('/')}/chat/stream", json=body, headers=headers, timeout=PATIENCE
        ) as response:
            if not response.is_success:
                response.read()
                raise ServiceError(refusal(response))
            for event in httpx2.EventSource(response):
                data = json.loads(event.data)
                if event.event == "error":
                    raise ServiceError(data["detail"])
                yield event.event, data["text"]
                if event.event == "done":
                    return
    except httpx2.TimeoutException as error:
        raise ServiceError(f"The service at {url} does not answer. Try again later.") from error
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise ServiceError(f"No connection to the service at {url}: {error}.") from error
    except (ValueError, KeyError, TypeError, httpx2.HTTPError) as error:
        raise ServiceError(
            f"{url} does not answer as the service does: check SERVICE_URL."
        ) from error
    raise ServiceError(CUT_OFF)


def refusal(response: httpx2.Response) -> str:
    """Why a request was refused: what its problem document says, else its status."""
    if response.status_code == 401:
        return "The service does not know this key: check SERVICE_KEY."
    try:
        said = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = f"The service answers with status {response.status_code}."
    wait = response.headers.get("retry-after")
    return f"{said} Ask again in {wait} seconds." if wait else said


def answer(turn: Turn, conversation: str, box: DeltaGenerator) -> None:
    """Show the answer while it comes, and keep it in the turn."""
    # Before the first word: another click ends this run of the script wherever it is.
    turn.asked, turn.answer, turn.problem = True, "", CUT_OFF
    try:
        for name, text in events(turn.question, conversation):
            turn.answer = text if name == "done" else turn.answer + text
            box.text(turn.answer)
        turn.problem = ""
    except ServiceError as problem:
        turn.problem = str(problem)


def ask_again(turn: Turn) -> None:
    """Let the next run of the script ask the question once more."""
    turn.asked = False


def main() -> None:
    """Draw the page; Streamlit calls this again at every click."""
    st.title("Ask the shop")
    key = os.environ.get("SERVICE_KEY", "").strip()
    if not key or not key.isascii():
        st.error("Set SERVICE_KEY to a key of the service, and start this page again.")
        return
    turns: list[Turn] = st.session_state.setdefault("turns", [])
    conversation: str = st.session_state.setdefault("conversation", str(uuid.uuid4()))
    if question := st.chat_input("Your question", max_chars=2000):
        turns.append(Turn(question))
    for turn in turns:
        # As plain text: what a model writes is no markup of yours.
        st.chat_message("user").text(turn.question)
        with st.chat_message("assistant"):
            box = st.empty()
            box.text(turn.answer)
            if not turn.asked:
                answer(turn, conversation, box)
            if turn.problem:
                st.error(turn.problem)
    if turns and turns[-1].problem:
        st.button("Ask again", on_click=ask_again, args=(turns[-1],))


if __name__ == "__main__":
    main()
