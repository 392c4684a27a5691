"""Screens: is this text an attack? Patterns, and a classifier that learnt from attacks.

A screen finds what looks like the attacks it was made from. It is cheap and stops the lazy, and it
is no control: an author whom it has not read passes it, which the walkthrough of module 03
measures. So a screen's verdict may refuse a message; nothing may rest on a message having passed.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain.agents.middleware import AgentState, hook_config
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.runtime import Runtime

from helpers.agent import Caller
from helpers.security.controls.around import OnIncoming, Update, incoming
from helpers.security.controls.marking import is_hidden

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Flag = Callable[[str], bool]
"""Says of a text whether it is held for an attack."""

DECLINED: Final = "I cannot help with this message. Please ask about our goods or your orders."
"""What a person reads whose message was held for an attack."""

WITHHELD: Final = "This text was withheld: it looks like instructions instead of information."
"""What the model reads in the place of a tool's result that was held for an attack."""

_PATTERNS: Final = {
    "sets earlier instructions aside": (
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
        r"\b(?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies))\b"
        r"|\b(?:ignore|disregard|forget)\b.{0,20}\b(?:above|before|previous)\b"
    ),
    "gives the model another role": (
        r"\b(?:you are now|act as|pretend (?:to be|you|that)|role-?play|"
        r"from now on,? you|developer mode|jailbreak|no restrictions)\b"
    ),
    "asks for the prompt or a secret": (
        r"\b(?:reveal|repeat|print|show|output|leak|tell me|give me|what (?:is|are))\b.{0,60}"
        r"\b(?:system prompt|your (?:instructions?|prompt|rules|notes)|internal notes?|"
        r"(?:staff|secret|hidden|goodwill|confidential) (?:code|note|key|password)s?|passwords?)\b"
    ),
    "imitates a turn or a mark": (
        r"<\|?/?\s*(?:im_start|im_end|system|assistant|instructions?)\b|\[/?INST\]|"
        r"<<(?:end )?\w+>>|^\s*(?:system|assistant)\s*:|^\s*#{2,}\s*(?:system|instructions?)\b"
    ),
    "addresses the assistant from inside a text": (
        r"\b(?:ai|assistant|chatbot|language model|llm|agent)s?\b.{0,30}"
        r"\b(?:must|should|have to|are (?:required|instructed))\b"
    ),
}
_COMPILED: Final = {
    name: re.compile(pattern, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    for name, pattern in _PATTERNS.items()
}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_MOST_READ: Final = 20_000
"""Characters of a text that the patterns read: an upper bound on their time."""


def signs(text: str) -> list[str]:
    """What speaks for an attack, in words; empty for a text that no pattern matches.

    Only the first 20,000 characters are read; put a limit on length before a screen.
    """
    read = text[:_MOST_READ]
    found = [name for name, pattern in _COMPILED.items() if pattern.search(read)]
    if any(map(is_hidden, read)):
        found.append("holds characters that nobody sees")
    if any(_is_encoded_text(blob) for blob in _BASE64.findall(read)):
        found.append("holds an encoded text")
    return found


def has_signs(text: str) -> bool:
    """Whether any pattern speaks for an attack: the heuristic screen."""
    return bool(signs(text))


class Classifier:
    """A screen learnt from texts: TF-IDF of words and letters, and logistic regression.

    Calling it says whether a text is held for an attack; `score` gives the probability.
    """

    def __init__(self, pipeline: "Pipeline", threshold: float) -> None:
        """Use `train` to make one; `threshold` is the probability from which a text is held."""
        self._pipeline = pipeline
        self.threshold = threshold

    def score(self, texts: Sequence[str]) -> list[float]:
        """The probability that each text is an attack, 0 to 1, as this training data knows it."""
        read = [text[:_MOST_READ] for text in texts]
        return [float(row[1]) for row in self._pipeline.predict_proba(read)] if read else []

    def __call__(self, text: str) -> bool:
        """Whether the text is held for an attack."""
        return self.score([text])[0] >= self.threshold


def train(attacks: Sequence[str], benign: Sequence[str], *, threshold: float = 0.5) -> Classifier:
    """Learn a screen from attacks and harmless texts; it takes a second for a thousand.

    The classes are weighted, so their sizes may differ. The result is the same on every run.

    Raises:
        ValueError: one of the two is empty, so that there is nothing to tell apart.
    """
    if not attacks or not benign:
        raise ValueError("A classifier needs attacks and harmless texts: one of them is empty.")
    from sklearn.feature_extraction.text import (
        TfidfVectorizer,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True),
    )
    pipeline = make_pipeline(features, LogisticRegression(C=10.0, class_weight="balanced"))
    texts = [text[:_MOST_READ] for text in (*attacks, *benign)]
    pipeline.fit(texts, [1] * len(attacks) + [0] * len(benign))
    return Classifier(pipeline, threshold)


class ScreenInput(OnIncoming):
    """Declines a message that a screen holds for an attack, and withholds such results of tools.

    The model is not called for a message that is declined.
    """

    def __init__(self, flag: Flag) -> None:
        """`flag` is the screen, such as `has_signs` or a `Classifier`."""
        super().__init__()
        self._flag = flag

    def changed(self, text: str) -> str:
        """The text, or a sentence in its place."""
        return WITHHELD if self._flag(text) else text

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: AgentState[Any], runtime: Runtime[Caller]) -> Update:
        """End the turn when the person's message is held for an attack."""
        asked = [m for m in incoming(state["messages"]) if isinstance(m, HumanMessage)]
        if any(self._flag(message.text) for message in asked):
            return {"messages": [AIMessage(DECLINED)], "jump_to": "end"}
        return super().before_model(state, runtime)


def _is_encoded_text(blob: str) -> bool:
    """Whether a run of letters is Base64 of readable words, as opposed to an id or a digest."""
    try:
        words = base64.b64decode(blob + "=" * (-len(blob) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return " " in words and words.isprintable()
