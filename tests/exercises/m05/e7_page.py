from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from helpers.authoring.answers import right, wrong

Ask = Callable[[str], Iterator[str]]


def add(turns: list[dict[str, str]], message: str | None) -> None:
    if message and message.strip():
        turns.append({"message": message, "answer": "", "error": "", "state": "new"})


def write(turn: dict[str, str], ask: Ask, slot: Any) -> None:
    """Ask, and show the answer while it comes."""
    turn.update(answer="", error="", state="begun")
    try:
        for piece in ask(turn["message"]):
            turn["answer"] += piece
            slot.text(turn["answer"])
        turn["state"] = "whole"
    except ConnectionError as error:
        turn["error"] = str(error)


def draw(turn: dict[str, str], ask: Ask, *, writes: Callable[..., None] = write) -> None:
    with st.chat_message("user"):
        st.text(turn["message"])
    with st.chat_message("assistant"):
        slot = st.empty()
        if turn["state"] == "new":
            writes(turn, ask, slot)
        slot.text(turn["answer"])
        if turn["error"]:
            st.error(turn["error"])


def offer_again(turns: list[dict[str, str]]) -> None:
    if turns and turns[-1]["state"] == "begun":
        st.button("Ask again", on_click=turns[-1].update, kwargs={"state": "new"})


def remembered() -> list[dict[str, str]]:
    turns: list[dict[str, str]] = st.session_state.setdefault("turns", [])
    return turns


def paging(
    *,
    turns_of: Callable[[], list[dict[str, str]]] = remembered,
    adds: Callable[..., None] = add,
    draws: Callable[..., None] = draw,
    offers: Callable[..., None] = offer_again,
) -> object:
    """A page as it should be, but for these parts."""

    def page(ask: Ask) -> None:
        turns = turns_of()
        adds(turns, st.chat_input("Your question"))
        for turn in turns:
            draws(turn, ask)
        offers(turns)

    return page


@wrong("An empty page.")
def empty() -> object:
    return lambda ask: None


@wrong("Keeps the question, and asks it in every run.", slip="asks-again")
def asks_in_every_run() -> object:
    def page(ask: Ask) -> None:
        st.session_state.setdefault("typed", None)
        message = st.chat_input("Your question")
        if message:
            st.session_state["typed"] = message
        question = st.session_state["typed"]
        if question:
            with st.chat_message("user"):
                st.text(question)
            with st.chat_message("assistant"):
                st.text("".join(ask(question)))

    return page


@wrong("No state: only the last question is there, until the next run.", slip="forgets")
def no_state() -> object:
    return paging(turns_of=list)


@wrong("One list for all browsers.", slip="shared")
def one_list_for_all() -> object:
    turns: list[dict[str, str]] = []
    return paging(turns_of=lambda: turns)


@wrong("One list for all browsers, kept by st.cache_resource.")
def cached_for_all() -> object:
    return paging(turns_of=st.cache_resource(lambda: []))


@wrong("Answers are cached, so the same question is asked once for all.")
def cached_answers() -> object:
    def page(ask: Ask) -> None:
        kept = cache(lambda message: "".join(ask(message)))

        def writes(turn: dict[str, str], _: Ask, slot: Any) -> None:
            write(turn, lambda message: iter([kept(message)]), slot)

        turns = remembered()
        add(turns, st.chat_input("Your question"))
        for turn in turns:
            draw(turn, ask, writes=writes)
        offer_again(turns)

    return page


@wrong("The answer appears at its end.", slip="not-streamed")
def not_streamed() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        turn.update(answer="", error="", state="begun")
        try:
            for piece in ask(turn["message"]):
                turn["answer"] += piece
            turn["state"] = "whole"
        except ConnectionError as error:
            turn["error"] = str(error)

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("Only the newest piece is shown while it comes.", slip="not-streamed")
def newest_piece() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        def shown(message: str) -> Iterator[str]:
            for piece in ask(message):
                slot.text(piece)
                yield piece

        turn.update(answer="", error="", state="begun")
        try:
            turn["answer"] = "".join(shown(turn["message"]))
            turn["state"] = "whole"
        except ConnectionError as error:
            turn["error"] = str(error)

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("st.write_stream, which draws Markdown.", slip="markdown")
def write_stream() -> object:
    def page(ask: Ask) -> None:
        messages = st.session_state.setdefault("messages", [])
        for role, text in messages:
            with st.chat_message(role):
                st.write(text)
        if message := st.chat_input("Your question"):
            messages.append(("user", message))
            with st.chat_message("user"):
                st.write(message)
            with st.chat_message("assistant"):
                messages.append(("assistant", st.write_stream(ask(message))))

    return page


@wrong("The question as Markdown.", slip="markdown")
def question_as_markdown() -> object:
    def draws(turn: dict[str, str], ask: Ask) -> None:
        with st.chat_message("user"):
            st.markdown(turn["message"])
        draw(turn, ask)

    return paging(draws=draws)


@wrong("Asks white space, too.", slip="asks-blanks")
def asks_blanks() -> object:
    def adds(turns: list[dict[str, str]], message: str | None) -> None:
        if message:
            turns.append({"message": message, "answer": "", "error": "", "state": "new"})

    return paging(adds=adds)


@wrong("Trims the message.", slip="trimmed")
def trims() -> object:
    return paging(adds=lambda turns, message: add(turns, message and message.strip()))


@wrong("The same message is not taken twice.")
def not_twice() -> object:
    def adds(turns: list[dict[str, str]], message: str | None) -> None:
        if message not in [turn["message"] for turn in turns]:
            add(turns, message)

    return paging(adds=adds)


@wrong("The error is drawn once.", slip="error-gone")
def error_once() -> object:
    def draws(turn: dict[str, str], ask: Ask) -> None:
        draw(turn, ask)
        turn["error"] = ""

    return paging(draws=draws)


@wrong("No ConnectionError is caught.", slip="not-caught")
def catches_nothing() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        turn.update(answer="", error="", state="begun")
        for piece in ask(turn["message"]):
            turn["answer"] += piece
            slot.text(turn["answer"])
        turn["state"] = "whole"

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("A failed turn is dropped.", slip="turn-lost")
def drops_failures() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        if turns and turns[-1]["error"]:
            turns.pop()

    return paging(offers=offers)


@wrong("The pieces of a failed answer are dropped.", slip="pieces-lost")
def drops_pieces() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        write(turn, ask, slot)
        if turn["error"]:
            turn["answer"] = ""

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("No button.", slip="no-button")
def no_button() -> object:
    return paging(offers=lambda turns: None)


@wrong("A button after a failure, and none after a stop.", slip="stop-no-button")
def button_for_errors() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        if turns and turns[-1]["error"]:
            offer_again(turns)

    return paging(offers=offers)


@wrong("A button for any failed turn.", slip="button-for-older")
def button_for_older() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        for number, turn in enumerate(turns):
            if turn["state"] == "begun":
                st.button(
                    "Ask again",
                    on_click=turn.update,
                    kwargs={"state": "new"},
                    key=f"again-{number}",
                )

    return paging(offers=offers)


@wrong("Asking again adds a turn.", slip="asked-as-new")
def asks_as_new() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        if turns and turns[-1]["state"] == "begun":
            st.button("Ask again", on_click=add, args=(turns, turns[-1]["message"]))

    return paging(offers=offers)


@wrong("The old error stays.", slip="old-error-stays")
def old_error_stays() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        error = turn["error"]
        write(turn, ask, slot)
        turn["error"] = turn["error"] or error

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("The new answer is added to the old pieces.", slip="old-pieces-stay")
def old_pieces_stay() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        old = turn["answer"]
        write(turn, ask, slot)
        turn["answer"] = old + turn["answer"]

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("The old error stays until the new answer is whole.", slip="old-error-stays")
def old_error_until_whole() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        turn.update(answer="", state="begun")
        try:
            for piece in ask(turn["message"]):
                turn["answer"] += piece
                slot.text(turn["answer"])
            turn.update(state="whole", error="")
        except ConnectionError as error:
            turn["error"] = str(error)

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("The old pieces stay until the new answer has ended.", slip="old-pieces-stay")
def old_pieces_until_the_end() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        if not turn["error"]:
            write(turn, ask, slot)
            return
        made = dict(turn)
        turn.update(error="", state="begun")
        write(made, ask, slot)
        turn.update(made)

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("The old error is shown while the new answer is written.", slip="old-while-written")
def old_error_while_written() -> object:
    def draws(turn: dict[str, str], ask: Ask) -> None:
        st.chat_message("user").text(turn["message"])
        with st.chat_message("assistant"):
            slot = st.empty()
            if old := turn["error"]:
                st.error(old)
            if turn["state"] == "new":
                write(turn, ask, slot)
            slot.text(turn["answer"])
            if turn["error"] and not old:
                st.error(turn["error"])

    return paging(draws=draws)


@wrong("A button that does nothing.", slip="not-asked-again")
def idle_button() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        if turns and turns[-1]["state"] == "begun":
            st.button("Ask again")

    return paging(offers=offers)


@wrong("Asks in the button's callback and where its result is looked at.", slip="asked-too-often")
def asks_twice() -> object:
    def page(ask: Ask) -> None:
        turns = remembered()
        add(turns, st.chat_input("Your question"))
        for turn in turns:
            draw(turn, ask)
        if turns and turns[-1]["state"] == "begun":
            again = turns[-1]
            if st.button("Ask again", on_click=again.update, kwargs={"state": "new"}):
                again["state"] = "new"
                st.rerun()

    return page


@wrong("The button is above the conversation.", slip="button-not-last")
def button_on_top() -> object:
    def page(ask: Ask) -> None:
        turns = remembered()
        add(turns, st.chat_input("Your question"))
        offer_again(turns)
        for turn in turns:
            draw(turn, ask)

    return page


@wrong("A failed turn is asked again in the next run.", slip="asks-again")
def asks_after_a_failure() -> object:
    def adds(turns: list[dict[str, str]], message: str | None) -> None:
        for turn in turns:
            if turn["error"]:
                turn["state"] = "new"
        add(turns, message)

    return paging(adds=adds)


@wrong("Keeps ten turns.", slip="forgets")
def keeps_ten() -> object:
    def offers(turns: list[dict[str, str]]) -> None:
        offer_again(turns)
        del turns[:-10]

    return paging(offers=offers)


@wrong("A stopped turn is asked in the next run.", slip="stop-asks-again")
def asks_after_a_stop() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        turn["stopped"] = "yes"
        write(turn, ask, slot)
        del turn["stopped"]

    def adds(turns: list[dict[str, str]], message: str | None) -> None:
        for turn in turns:
            if "stopped" in turn:
                turn["state"] = "new"
        add(turns, message)

    return paging(adds=adds, draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("A turn is kept when its answer is whole or has failed.", slip="stop-loses")
def kept_at_the_end() -> object:
    def page(ask: Ask) -> None:
        turns = remembered()
        waiting: list[dict[str, str]] = []
        add(waiting, st.chat_input("Your question"))
        for turn in [*turns, *waiting]:
            draw(turn, ask)
        turns.extend(waiting)
        offer_again(turns)

    return page


@wrong("A bare except takes the stop for a failure.")
def catches_the_stop() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        turn.update(answer="", error="", state="begun")
        try:
            for piece in ask(turn["message"]):
                turn["answer"] += piece
                slot.text(turn["answer"])
            turn["state"] = "whole"
        except BaseException as error:
            turn["error"] = str(error)

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@wrong("A sentence of its own in the place of the error's.", slip="other-error")
def another_error() -> object:
    def writes(turn: dict[str, str], ask: Ask, slot: Any) -> None:
        write(turn, ask, slot)
        if turn["error"]:
            turn["error"] = "Something went wrong."

    return paging(draws=lambda turn, ask: draw(turn, ask, writes=writes))


@dataclass
class Turn:
    message: str
    answer: str = ""
    error: str | None = None
    whole: bool = False


@right("Draws the earlier turns, then the new one; the button's result is looked at.")
def earlier_then_new() -> object:
    def page(ask: Ask) -> None:
        if "history" not in st.session_state:
            st.session_state.history = []
        history: list[Turn] = st.session_state.history
        message = st.chat_input("Ask Fernhill")
        if st.session_state.pop("again", False):
            message = history.pop().message
        for turn in history:
            show(turn)
        if message is not None and message.strip():
            history.append(Turn(message))
            show(history[-1], ask)
        if history and not history[-1].whole and st.button("Ask again"):
            st.session_state.again = True
            st.rerun()

    def show(turn: Turn, ask: Ask | None = None) -> None:
        st.chat_message("user").text(turn.message)
        bubble = st.chat_message("assistant")
        slot = bubble.empty()
        if ask is not None:
            try:
                for piece in ask(turn.message):
                    turn.answer += piece
                    slot.text(turn.answer)
            except ConnectionError as error:
                turn.error = f"{error}"
            else:
                turn.whole = True
        slot.text(turn.answer)
        if turn.error is not None:
            bubble.error(turn.error)

    return page


@right("A class; the turn that is asked at the end of the script, and the error below the answer.")
def class_based() -> object:
    class Chat:
        def __init__(self) -> None:
            self.turns: list[dict[str, Any]] = []

        def ask_again(self) -> None:
            self.turns[-1] = {"message": self.turns[-1]["message"], "pieces": [], "new": True}

        def draw(self, ask: Ask) -> None:
            for turn in self.turns:
                with st.chat_message("user"):
                    st.text(turn["message"])
                with st.chat_message("assistant"):
                    place = st.empty()
                    if turn.pop("new", False):
                        self.answer(turn, ask, place)
                    place.text("".join(turn["pieces"]))
                if "error" in turn:
                    st.error(turn["error"])
            if self.turns and not self.turns[-1].get("done"):
                st.button("Ask again", on_click=self.ask_again, type="primary")

        def answer(self, turn: dict[str, Any], ask: Ask, place: Any) -> None:
            try:
                for piece in ask(turn["message"]):
                    turn["pieces"].append(piece)
                    place.text("".join(turn["pieces"]))
                turn["done"] = True
            except OSError as error:
                turn["error"] = str(error)

    def page(ask: Ask) -> None:
        st.title("Fernhill support")
        chat = st.session_state.setdefault("chat", Chat())
        message = st.chat_input("Your question")
        if message and not message.isspace():
            chat.turns.append({"message": message, "pieces": [], "new": True})
        chat.draw(ask)

    return page


@right("The message is taken by a callback of the chat input.")
def by_callback() -> object:
    def page(ask: Ask) -> None:
        turns = remembered()
        st.chat_input(
            "Your question", key="typed", on_submit=lambda: add(turns, st.session_state.typed)
        )
        st.caption("Answers are written by a model.")
        for turn in turns:
            draw(turn, ask)
        offer_again(turns)

    return page


@right("Draws the page again when an answer has ended.")
def runs_again_at_the_end() -> object:
    def draws(turn: dict[str, str], ask: Ask) -> None:
        asked = turn["state"] == "new"
        draw(turn, ask)
        if asked:
            st.rerun()

    return paging(draws=draws)


_APPENDED = 'turns.append({"message": message, "answer": "", "error": "", "state": "new"})'
EQUIVALENT = {
    "line 8, 'turns' changed: turns = st.session_state.setdefault(\"turns\", [])": (
        "the key in the session's state may have any name"
    ),
    f"line 10, 'answer' changed: {_APPENDED}": "it is set again before it is read",
    f"line 10, 'error' changed: {_APPENDED}": "it is set again before it is read",
    'line 21, \'whole\' changed: turn["state"] = "whole"': "any text but the other two will do",
}
