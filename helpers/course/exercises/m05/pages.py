"""Chat pages as Streamlit runs them, without a browser, for exercise 05.7."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Markdown, Text, parse_tree_from_messages

Page: TypeAlias = Callable[[Callable[[str], Iterator[str]]], None]

# AppTest's own use of the session state outside a script is no fault that a learner should see.
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(
    lambda record: "missing ScriptRunContext" not in record.getMessage()
)

AGAIN = "Ask again"
SORRY = "The service is busy. Try again in a minute."
_RUN_S = 3.0


@dataclass(frozen=True)
class Answer:
    """The pieces of an answer, and what comes after them.

    `ends` is "" for a whole answer; "fails" and "breaks" for a service that cannot be reached or
    breaks off; "stops" for a customer who does something else, so that Streamlit stops the script.
    """

    pieces: tuple[str, ...]
    ends: str = ""


WHOLE = Answer(("It weighs ", "2.1 kg."))


@dataclass(frozen=True)
class Say:
    """A customer sends a message, and this is what the service answers."""

    message: str
    answer: Answer = WHOLE
    browser: int = 1

    def __str__(self) -> str:
        return f"{_of(self)}send {self.message!r}{_told(self.answer)}"


@dataclass(frozen=True)
class Again:
    """A customer clicks "Ask again", and this is what the service answers then."""

    answer: Answer = WHOLE
    browser: int = 1

    def __str__(self) -> str:
        return f"{_of(self)}click {AGAIN!r}{_told(self.answer)}"


@dataclass(frozen=True)
class Run:
    """Streamlit runs the script for another reason."""

    browser: int = 1

    def __str__(self) -> str:
        return f"{_of(self)}run the script again"


Step: TypeAlias = Say | Again | Run


def _of(step: Step) -> str:
    return f"browser {step.browser}: " if step.browser > 1 else ""


def _told(answer: Answer) -> str:
    end = {
        "": "",
        "fails": ", then ConnectionError",
        "breaks": ", then ConnectionResetError",
        "stops": ", then Streamlit stops the script",
    }[answer.ends]
    return f" (the answer: {', '.join(map(repr, answer.pieces)) or 'no piece'}{end})"


@dataclass
class _Service:
    """What stands behind the pages of all browsers."""

    answer: Answer = WHOLE
    asked: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    sent: list[ForwardMsg] = field(default_factory=list)
    error: BaseException | None = None

    def ask(self, message: str) -> Iterator[str]:
        """The pieces of the answer to a message."""
        self.asked.append(message)
        self.written.clear()
        for piece in self.answer.pieces:
            yield piece
            self.written.append(_last_turn(parse_tree_from_messages(self.sent).main))
        if self.answer.ends == "fails":
            raise ConnectionError(SORRY)
        if self.answer.ends == "breaks":
            raise ConnectionResetError(SORRY)
        if self.answer.ends == "stops":
            self.answer = WHOLE  # for a page that asks again at once: else it never ended
            st.rerun()

    def watch(self) -> None:
        """Keep what this run of the script sends to its browser."""
        self.sent.clear()
        context = get_script_run_ctx()
        assert context is not None, "only called in a script"
        send = context.enqueue

        def keep(message: ForwardMsg) -> None:
            self.sent.append(message)
            send(message)

        context.enqueue = keep  # type: ignore[method-assign, assignment]

    def draw(self, page: Page) -> None:
        """Run the page, and keep what it raises, of which Streamlit would print a traceback."""
        try:
            page(self.ask)
        except Exception as error:
            self.error = error

    def checked(self) -> None:
        """Raise what the page raised in its last run."""
        if self.error is not None:
            raise self.error


def _script(page, service):  # type: ignore[no-untyped-def] # AppTest runs this text by itself
    service.watch()
    service.draw(page)


_components: list[Any] = []  # what one browser finds in all installed packages, for all others


def _opened(page: Page, service: _Service) -> AppTest:
    """A new browser session, which has drawn the page once."""
    arguments = {"page": page, "service": service}
    browser = AppTest.from_function(_script, kwargs=arguments, default_timeout=_RUN_S)
    if _components:  # the search takes half a second, and is done again for each AppTest
        vars(browser)["_bidi_component_manager"] = _components[0]
    browser.run()
    if not _components:
        _components.append(vars(browser).get("_bidi_component_manager"))
    service.checked()
    return browser


def played(page: Page, *steps: Step) -> dict[str, Any]:
    """What has become of some browsers' conversations after these steps.

    `asked` are the messages that reached the service; `page` is what the browser shows, from top to
    bottom; `while the last answer was written` is its text on the page after each piece, and what
    else was below the customer's last message then. A click that finds no button ends it.
    """
    service, browsers = _Service(), dict[int, AppTest]()
    missing = dict[str, Any]()
    for number in sorted({step.browser for step in steps}):
        browsers[number] = _opened(page, service)
    for step in steps:
        browser = browsers[step.browser]
        if isinstance(step, Say):
            service.answer = step.answer
            if not browser.chat_input:
                break
            browser.chat_input[0].set_value(step.message).run()
        elif isinstance(step, Again):
            service.answer = step.answer
            buttons = [one for one in browser.button if one.label == AGAIN]
            if not buttons:
                missing = {"to click on": f"no button {AGAIN!r}"}
                break
            buttons[0].click().run()
        else:
            browser.run()
        service.checked()
    several = len(browsers) > 1
    pages = {f"page {n}" if several else "page": _shown(one) for n, one in browsers.items()}
    return {
        "asked": service.asked,
        **missing,
        **pages,
        "while the last answer was written": list(service.written),
    }


def _shown(browser: AppTest) -> list[str]:
    """What a page shows of its conversation, a line an element."""
    lines = list(_lines(browser.main))
    if (count := len(browser.chat_input)) != 1:
        lines.append(f"{count} chat inputs")
    return [*lines, *(f"raised: {one.message}" for one in browser.exception)]


def _lines(block: Block) -> Iterator[str]:
    for child in block.children.values():
        if child.type == "chat_message":
            assert isinstance(child, Block)
            who = getattr(child, "name", "")
            yield f"{who}: {_text_in(child)}"
            yield from (f"{who}, as Markdown: {text}" for text in _markdown_in(child))
        if child.type == "error":
            yield f"error: {getattr(child, 'value', '')}"
        if child.type == "button":
            yield f"button: {getattr(child, 'label', '')}"
        if isinstance(child, Block):
            yield from _lines(child)


def _text_in(block: Block) -> str:
    return "".join(one.value for one in block.get("text") if isinstance(one, Text))


def _markdown_in(block: Block) -> list[str]:
    found = [one for one in block.get("markdown") if isinstance(one, Markdown)]
    return [one.value for one in found if one.value]


def _last_turn(block: Block) -> str:
    """What is below the customer's last message on a page that is being written.

    The text of the answer, where it stands there alone.
    """
    lines = list(_lines(block))
    asked = [place for place, line in enumerate(lines) if line.startswith("user: ")]
    below = lines[asked[-1] + 1 :] if asked else lines
    return "; ".join(below).removeprefix("assistant: ")


def told(*steps: Step) -> str:
    """The steps in words."""
    return "; ".join(map(str, steps))
