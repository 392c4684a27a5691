# Written by `course build` from solutions/src/05_serve_with_fastapi.py: change it there.
# The exercise's own cell.
from collections.abc import Callable, Iterator

import streamlit as st


def page(ask: Callable[[str], Iterator[str]]) -> None:
    """Draw a chat page that asks each message once."""
    turns = st.session_state.setdefault("turns", [])
    if (message := st.chat_input("Your question")) and message.strip():
        turns.append({"message": message, "answer": "", "error": "", "state": "new"})
    for turn in turns:
        st.chat_message("user").text(turn["message"])
        with st.chat_message("assistant"):
            shown = st.empty()
            if turn["state"] == "new":
                turn.update(answer="", error="", state="begun")
                try:
                    for piece in ask(turn["message"]):
                        turn["answer"] += piece
                        shown.text(turn["answer"])
                    turn["state"] = "whole"
                except ConnectionError as error:
                    turn["error"] = str(error)
            shown.text(turn["answer"])
            if turn["error"]:
                st.error(turn["error"])
    if turns and turns[-1]["state"] == "begun":
        st.button("Ask again", on_click=turns[-1].update, kwargs={"state": "new"})
ANSWER = page
