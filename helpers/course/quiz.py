"""`quiz("01")`: the questions that end a walkthrough.

Each choice is a button, so that Tab, Space and Enter work: radio buttons lose their arrow keys to
JupyterLab, which moves between cells with them. Where there is no live kernel (a stored notebook, a
test, a terminal) the same questions are shown as text.

Which choice is right, and why, stays in the kernel until somebody has chosen: neither the text nor
the widgets' state, which a saved notebook keeps, holds more than the answers that were given.
"""

from collections.abc import Sequence
from html import escape
from string import ascii_uppercase

from helpers.course import progress
from helpers.course.questions import Choice, QuizQuestion, load
from helpers.course.show.output import in_notebook

_STYLE = """<style>
.course-choice.jupyter-button {
  height: auto; width: auto; padding: 6px 10px; white-space: normal; text-align: left;
  line-height: 1.45; color: var(--jp-ui-font-color1); background: var(--jp-layout-color2);
  border: 1px solid var(--jp-border-color1);
}
.course-choice.jupyter-button.course-chosen {
  font-weight: bold; border: 2px solid var(--jp-ui-font-color1);
}
.course-choice.jupyter-button:focus-visible {
  outline: 2px solid var(--jp-brand-color1); outline-offset: 1px;
}
.course-quiz .widget-html-content { line-height: 1.45; white-space: normal; }
.course-quiz p { margin: 4px 0; }
</style>"""
# A saved notebook shows its buttons, and no kernel that would hear them.
_HOW = (
    "<p>Choose an answer; you then read why it is right or not. If nothing happens, run this cell "
    "first (Shift+Enter).</p>"
)


def quiz(module: str) -> None:
    """Ask the questions of a module's quiz; each choice is explained as soon as it is chosen.

    A question counts in `course status` once it was answered rightly, after any number of tries.

    Raises:
        QuizError: there is no quiz of that module, or its file breaks the format.
    """
    questions = load(module)
    if not in_notebook():
        print(plain(module, questions))
        return
    from IPython.display import publish_display_data

    # One output with three faces: the live one, and what a stored notebook shows without it.
    publish_display_data(  # type: ignore[no-untyped-call]
        {
            **Live(module, questions).view(),
            "text/html": static(module, questions),
            "text/plain": plain(module, questions),
        }
    )


def plain(module: str, questions: Sequence[QuizQuestion]) -> str:
    """The quiz as text, without the answers."""
    lines = [f"Quiz {module}: {len(questions)} questions. Run this cell in JupyterLab to answer."]
    for number, question in enumerate(questions, start=1):
        lines += ["", f"{number}. {question.question}"]
        lines += [
            f"   {letter}. {choice.text}"
            for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
        ]
    return "\n".join(lines)


def static(module: str, questions: Sequence[QuizQuestion]) -> str:
    """The quiz as HTML that needs no kernel, without the answers."""
    parts = [
        f"<p><strong>Quiz {escape(module)}.</strong> Run this cell (Shift+Enter) to answer: you "
        "then read why your choice is right or not.</p>"
    ]
    for number, question in enumerate(questions, start=1):
        choices = "\n".join(
            f"<li>{letter}. {escape(choice.text)}</li>"
            for letter, choice in zip(ascii_uppercase, question.choices, strict=False)
        )
        parts.append(
            f'<section style="margin-bottom: 14px"><p><strong>{number}.</strong> '
            f'{escape(question.question)}</p>\n<ul style="list-style: none">\n{choices}\n</ul>'
            "</section>"
        )
    return '<div class="mathjax_ignore">\n' + "\n".join(parts) + "\n</div>"


def _verdict(choice: Choice) -> str:
    return "Right" if choice.right else "Not right"


def _label(letter: str, choice: Choice, *, chosen: bool) -> str:
    """A button's text: what is chosen differs by a sign and by words, which are read out too."""
    text = f"{letter}. {choice.text}"
    sign = "\u2713" if choice.right else "\u2717"  # a tick, a cross
    return f"{sign} {text} (your answer: {_verdict(choice).lower()})" if chosen else text


class Live:
    """The quiz as widgets, with the score so far."""

    def __init__(self, module: str, questions: Sequence[QuizQuestion]) -> None:
        import ipywidgets

        self.module = module
        self.questions = questions
        recorded = progress.report().get(module)
        ids = {question.id for question in questions}
        self.right = {
            one.question
            for one in (recorded.quiz if recorded else ())
            if one.right and one.question in ids
        }
        self.score = ipywidgets.HTML()
        self._show_score()
        rows = [
            self._question(number, question) for number, question in enumerate(questions, start=1)
        ]
        self.box = ipywidgets.VBox([ipywidgets.HTML(_STYLE + _HOW), *rows, self.score])
        self.box.add_class("course-quiz")
        self.box.add_class("mathjax_ignore")

    def view(self) -> dict[str, object]:
        """The MIME bundle that makes a front end draw the widgets."""
        bundle: dict[str, object] = self.box._repr_mimebundle_()
        return bundle

    def _question(self, number: int, question: QuizQuestion) -> object:
        import ipywidgets

        done = " <em>(answered before)</em>" if question.id in self.right else ""
        heading = ipywidgets.HTML(
            f"<p><strong>Question {number} of {len(self.questions)}.</strong> "
            f"{escape(question.question)}{done}</p>"
        )
        said = ipywidgets.HTML()
        choices = tuple(zip(ascii_uppercase, question.choices, strict=False))
        buttons: list[ipywidgets.Button] = []
        for letter, choice in choices:
            button = ipywidgets.Button(
                description=_label(letter, choice, chosen=False),
                layout=ipywidgets.Layout(width="auto", height="auto"),
            )
            button.add_class("course-choice")
            buttons.append(button)

        def choose(chosen: ipywidgets.Button) -> None:
            for each, (letter, choice) in zip(buttons, choices, strict=True):
                each.description = _label(letter, choice, chosen=each is chosen)
                if each is not chosen:
                    each.remove_class("course-chosen")
                    continue
                each.add_class("course-chosen")
                # role=alert: a screen reader says it without the focus leaving the button.
                said.value = (
                    f'<p role="alert">{letter}. <strong>{_verdict(choice)}.</strong> '
                    f"{escape(choice.why)}</p>"
                )
                self._answered(question, choice.right)

        for button in buttons:
            button.on_click(choose)
        return ipywidgets.VBox([heading, *buttons, said])

    def _answered(self, question: QuizQuestion, right: bool) -> None:
        progress.record_quiz(self.module, question.id, right)
        if right:
            self.right.add(question.id)
        self._show_score()

    def _show_score(self) -> None:
        self.score.value = (
            f"<p><strong>{len(self.right)} of {len(self.questions)} answered rightly.</strong></p>"
        )
