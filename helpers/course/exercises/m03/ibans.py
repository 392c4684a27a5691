"""Account numbers of exercise 03.3: right ones, nearly right ones, and what they stand among."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from langchain.agents.middleware import PIIMiddleware
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from helpers.agent import Caller, build_agent
from helpers.course.exercises.scripted import Scripted, saying

Detector = Callable[[str], Any]

LENGTHS = {"AT": 20, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "NL": 18}
"""Letters and digits of an IBAN, by country (ISO 13616), as the lab gives them."""

SEPARATORS = " \u00a0-"
"""What may be between two of them, as the lab gives it."""

BRITISH = "GB82 WEST 1234 5698 7654 32"
"""The example of ISO 13616; like those below, it is an example and nobody's account."""

EXAMPLES = {
    "AT": "AT61 1904 3002 3457 3201",
    "CH": "CH93 0076 2011 6238 5295 7",
    "DE": "DE89 3704 0044 0532 0130 00",
    "ES": "ES91 2100 0418 4502 0005 1332",
    "FR": "FR14 2004 1010 0505 0001 3M02 606",
    "GB": BRITISH,
    "IE": "IE29 AIBK 9311 5212 3456 78",
    "NL": "NL91 ABNA 0417 1643 00",
}
"""One account number of each country, from the registry's examples."""


def iban(country: str, account: str) -> str:
    """The account's IBAN: with the check digits that ISO 7064, MOD 97-10, gives it."""
    number = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def by_letters(country: str, length: int) -> str:
    """A text that fulfils the sum of an IBAN, with letters for its two check digits."""
    for number in range(97):
        made = f"{country}XY{number:0{length - 4}}"
        if remainder(made) == 1:
            return made
    raise ValueError(f"no number of {length} signs for {country}")


def remainder(signs: str) -> int:
    """What is left of an IBAN's number, divided by 97: 1, if its check digits are right."""
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97


def found(detect: Detector, *texts: str) -> list[list[Any]]:
    """The matches in each of these texts, with the part of it that they point at."""
    return [_pointed_at(detect(text), text) for text in texts]


def places(detect: Detector, text: str) -> list[Any]:
    """Where the matches in a text are, first ones first, each with the part that it points at."""
    matches = detect(text)
    told = _pointed_at(matches, text)
    return [*zip(sorted(match["start"] for match in matches), told, strict=True)]


def all_digits(account: str) -> tuple[list[str], list[str]]:
    """A number with each of the check digits 00 to 99, and those that leave 1."""
    made = [f"{account[:2]}{digits:02}{account[4:]}" for digits in range(100)]
    return made, [each for each in made if remainder(each) == 1]


def with_digits(digits: str) -> str:
    """A number with these check digits, which leave 1."""
    for account in range(10_000):
        made = f"NL{digits}ABNA{account:010}"
        if remainder(made) == 1:
            return made
    raise ValueError(f"no number has the check digits {digits}")


def _pointed_at(matches: Any, text: str) -> list[Any]:
    if not isinstance(matches, list | tuple):
        raise TypeError(f"a list of matches is expected, not {type(matches).__name__}")
    told = []
    for match in sorted(matches, key=lambda one: one["start"]):
        part = text[match["start"] : match["end"]]
        keys = set(match) == {"type", "value", "start", "end"}
        right = match["type"] == "iban" and match["value"] == part and match["start"] >= 0 and keys
        told.append(part if right else {**match, "points at": part})
    return told


def read_by_the_model(detect: Detector, *texts: str) -> list[str]:
    """What the model reads of these messages, with LangChain's redaction by this detector."""
    control: Any = PIIMiddleware("iban", detector=detect, strategy="redact")
    read = []
    for text in texts:
        model = Scripted(says=[saying("Noted.")])
        agent = build_agent(model=model, tools=[], middleware=[control])
        config = RunnableConfig(configurable={"thread_id": "iban"})
        agent.invoke({"messages": [HumanMessage(text)]}, config, context=Caller("C-0012"))
        read.append(next(str(m.text) for m in reversed(model.heard[-1]) if m.type == "human"))
    return read


# --- generated texts ------------------------------------------------------------------------------

_GROUPS = st.sampled_from(["four", "four", "none", "each", "other", "double"])
_BESIDE = [
    *("", " ", ". ", "_", "-", "é", ":", "\n", "x", "7", " A", " AND ", "GB", "ß ", "🏕"),
    *("--", "/", "\u212a", "ſ", "IBAN-", "\u00a0", "٢", "-1"),
]


@st.composite
def _numbers(draw: st.DrawFn) -> str:
    """An account number, right or nearly right, written in one of several ways."""
    country = draw(st.sampled_from([*LENGTHS, *LENGTHS, "BE", "XK"]))
    length = LENGTHS.get(country, 20)
    digits = draw(st.integers(0, 10 ** (length - 8) - 1))
    bank = draw(st.sampled_from(["ABNA", "0000", "3M02", "WEST"]))
    made = iban(country, f"{bank}{digits:0{length - 8}}")
    fault = draw(st.sampled_from(["", "", "", "digit", "short", "long", "letters"]))
    if fault == "digit":
        made = made[:-1] + str((int(made[-1]) + 1) % 10)
    elif fault == "short":
        made = iban(country, made[4:-1])
    elif fault == "long":
        made = iban(country, made[4:] + "0")
    elif fault == "letters":
        made = by_letters(country, length)
    written = draw(st.sampled_from(["as it is", "small", "title"]))
    made = {"as it is": made, "small": made.lower(), "title": made.title()}[written]
    return _written(made, draw(_GROUPS), draw(st.sampled_from(SEPARATORS)), draw(st.booleans()))


def _written(signs: str, groups: str, separator: str, tab: bool) -> str:
    if groups == "none":
        return signs
    if groups == "each":
        return separator.join(signs)
    parts = [signs[at : at + 4] for at in range(0, len(signs), 4)]
    between = {"four": separator, "double": separator * 2, "other": "\t" if tab else "."}
    return separator.join(parts[:2]) + between[groups] + separator.join(parts[2:])


@st.composite
def inputs(draw: st.DrawFn) -> tuple[str]:
    """A text with up to three numbers that are account numbers, or nearly so."""
    text = draw(st.sampled_from(["", "To ", "Straße: ", "ﬁrst ", "FH-10234 ", " \n ", "-"]))
    for _ in range(draw(st.integers(0, 3))):
        before, behind = (draw(st.sampled_from(_BESIDE)) for _ in range(2))
        text += before + draw(_numbers()) + behind + draw(st.sampled_from([" ", "; ", "\n"]))
    return (text,)


def told(*texts: str) -> str:
    """The calls for several texts, as a card shows them."""
    return "\n".join(f"detect_iban({text!r})" for text in texts)
