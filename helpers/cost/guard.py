# ruff: noqa: SIM905 (a list of words is read more easily as a line of text)
"""Whether the answer to one question may be served to another, by their words.

Embeddings place "Can I return a rope after 12 days?" beside "... after 20 days?". So nearness
proposes and this guard decides. It needs no list of what can differ: whatever word one question
has and the other has not forbids, unless it is known to say nothing (an article, a polite phrase)
or the same (weigh, weight, heavy). Beyond the words it compares what carries meaning by position:
who acts on whom, what follows a preposition, what is negated, the tense, the kind of question.

It errs on the strict side: a refused paraphrase costs one answer of the model, a wrong answer
more. Like any rule on words it can be wrong, so measure it on questions it was not tuned on.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from helpers.models.normalise import normalised
from helpers.models.words import NUMBERS
from helpers.shop import documents

_POLITE: Final = re.compile(
    r"\b(hi|hello|hey|please|pls|plz|thanks|thank you|cheers|sorry|excuse me|quick question"
    r"|(can|could|would|will) you (please )?(just )?(tell|remind|let) me( know)?( if| whether)?"
    r"|(do|would|might) you (happen to )?know( if| whether)?|tell me|remind me|let me know"
    r"|any idea|i'?d like to know|i want to know|i was wondering|i wonder( if| whether)?)\b"
)
_SPELLINGS: Final = [
    (re.compile(pattern), into)
    for pattern, into in [
        (r"\b(can|won|shan)'?t\b(?!-)", r" \1 not "),
        (r"\bcannot\b", " can not "),
        (r"n't\b|\b(?<=do)nt\b|\b(?<=does)nt\b|\b(?<=did)nt\b|\b(?<=is)nt\b", " not "),
        (r"'ll\b", " will "),
        (r"'ve\b", " have "),
        (r"'re\b", " are "),
        (r"\bi'?m\b", " i am "),
        (r"\b(what|when|where|who|how|it|that|there)'?s\b", r" \1 is "),
        (r"'s\b|'d\b", " "),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"[£$€]\s*(\d[\d.]*)", r" \1 pounds "),
        (r"\b(fh)\W{0,2}(\d+)", r" \1\2 "),
        (r"\b(\d{1,2})(?:[:.](\d\d))?\s*(am|pm)\b", r" \1 \2 \3 "),
        (r"(?<=\d)(?=[a-z])|(?<=[a-z]{3})(?=\d)", " "),
        # What is asked for, however it is asked.
        (
            r"\bhow (long|quick|quickly|fast) (do|does|did|will|is|are|can|till|until|to)\b",
            r" duration \2 ",
        ),
        (
            r"\bhow long\b|\bhow quick(ly)?\b|\bhow fast\b|\btime limit\b|\bfor what time\b",
            " duration ",
        ),
        (r"\bhow many (minutes|hours|days|weeks|months|years)\b", r" duration ask\1 "),
        (r"\bhow many (grams?|kg|kilos?|kilograms?)\b", r" weight ask\1 "),
        (r"\bhow many (metres?|meters?|km|cm)\b", r" far ask\1 "),
        (r"\b(have|has|need|needs|got) to\b", " must "),
        (r"\b(is it|am i|are we) (allowed|possible|ok|okay|able|fine)( for me)? to\b", " can i "),
        (r"\b(deadline|cut-off)\b", " duration "),
        (r"\b(all in|in all|in total|all told)\b", " altogether "),
        (r"\bit take(s)?\b|(?<=ing )take(s)?\b|(?<=delivery )take(s)?\b", " "),
        (r"\b(what'?s|what is) (up|happening|going on) with\b", " where is "),
        (r"\b(how|what) (big|large|size|dimensions)\b", " size "),
        (
            r"\bhow (heavy|far|tall|high|warm|cold|deep|wide|old|often|late|strong|bright|hot)\b",
            r" \1 ",
        ),
        (r"\bhow much (is|are|for|would|will)\b", r" price \1 "),
        (r"\bhow much\b", " howmuch "),
        (r"\b(what|which|on what|on which) (time|day|date)\b", " when "),
    ]
]
# Words that mean the same to a shop; the first of each line is what they are compared by.
_SAME: Final = {
    word: line.split()[0]
    for line in """
price cost costs
fee charge charges
must need needs required necessary
receive get gets got receiving
far distance reach reaches range shine shines
temperature temp hot
packed rolled-up folded
thick chunky
total altogether
weight weigh weighs heavy weighing
duration lasts
valid expiry expire expires lapse lapses
deliver delivery shipping
courier carrier
big size dimensions sized
boot boots
jacket jackets coat coats
torch headlamp lamp
rent rental hire rented hired renting hiring
buy bought purchase purchased
return returns returning
fix repair repairs mend repairing
collect pickup collecting collection
postcode zip
phone telephone mobile
mail email e-mail
picture photo
broken damaged
lose lost
offer discount reduction
pound pounds quid gbp
kilogram kg kilo kilos kilograms
gram g grams gramme grammes
metre m metres meter meters
centimetre cm centimetres centimeters
kilometre km kilometres kilometers
litre l litres liter liters
minute min mins minutes
hour h hr hrs hours
degree degrees c celsius
paraffin kerosene
rucksack backpack pack packs
clean cleaning
wash washing
stove burner
maximum max most
minimum min least
""".strip().splitlines()
    for word in line.split()
}
# Words that say nothing about what is asked. All others count: this list must stay closed.
_EMPTY: Final = frozenset(
    "a an the of to in at on is am are be been was were do does did can could would will may might "
    "shall should have has had it its this that these those there here i me my mine you your yours "
    "we us our ours and if so as then please what which howmuch how when who for with by "
    "just s want know really actually exactly still yet amount ok okay um er well "
    "stuff thing things something item items".split()
)
_FIRST: Final = frozenset("i me my mine we us our ours".split())
_SECOND: Final = frozenset("you your yours".split())
_OWNERS: Final = frozenset("my our your".split())
# Bound to what follows; those in _EMPTY too may be missing on one side.
_PREPOSITIONS: Final = frozenset(
    "to in at on for with by from before after than without into onto over under until till "
    "instead against between since except".split()
)
_NEGATIONS: Final = frozenset("not no never without neither nor none cannot non".split())
_AUXILIARIES: Final = frozenset(
    "is am are was were do does did can could would will may might shall should have has had "
    "must".split()
)
_PAST: Final = frozenset("did was were had".split())
_FUTURE: Final = frozenset("will".split())
_DIRECTIONS: Final = frozenset(
    "before after from into out up down over under above below more less than until since "
    "uphill downhill earlier later forward back onto off away".split()
)
_ATTRIBUTES: Final = frozenset("far weight price duration big hot".split())
"""Asked for in front ("how heavy is ...") or behind ("... weight"): their place says nothing."""
_CONDITIONS: Final = frozenset("only unless except without or both all half".split())
_ORDINALS: Final = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1
    )
}
_TENS: Final = frozenset(str(tens) for tens in range(20, 100, 10))
_OTHER_NUMBERS: Final = {"once": 1, "single": 1, "twice": 2, "pair": 2, "dozen": 12}


@dataclass
class _Meaning:
    """A question taken apart."""

    words: list[str] = field(default_factory=list)
    """What counts, in order, each in its common form."""
    slots: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What a position holds: two questions that both fill a slot must fill it alike."""
    negated: set[str] = field(default_factory=set)

    def does(self, person: str) -> bool:
        """Whether this person acts in the question."""
        return any(person in who for slot, who in self.slots.items() if slot.startswith("doer"))

    def gets(self, person: str) -> bool:
        """Whether this person is acted on."""
        return any(person in who for slot, who in self.slots.items() if slot.startswith("receiver"))

    @property
    def kinds(self) -> set[str]:
        """What kind of answer is asked for; empty where only keywords were typed."""
        return self.slots.get("kind of question", set())


def plain(text: str) -> str:
    """The text in small letters, without polite phrases and punctuation around words."""
    text = _POLITE.sub(" ", normalised(text).casefold())
    return " ".join(re.findall(r"[^\W_]+(?:[.,:'-][^\W_]+)*|[£$€%+<>=]", text))


def same_question(asked: str, stored: str) -> bool:
    """Whether the answer to `stored` may be served to `asked`; symmetric."""
    return why_not(asked, stored) is None


def why_not(asked: str, stored: str) -> str | None:
    """In which way the two questions differ, in words; None when the answer may be served."""
    left, right = _meaning(asked), _meaning(stored)
    if not left.words or not right.words:
        return None if plain(asked) == plain(stored) else "no words to compare"
    extra = {word: _kind(word, asked, stored) for word in set(left.words) ^ set(right.words)}
    for kind in ("number", "negation", "condition", "direction", "name", "word"):
        found = sorted(word for word, its in extra.items() if its == kind)
        if found:
            return f"another {kind}: {', '.join(found)}"
    if left.negated != right.negated:
        return "another negation"
    for one, other in ((left, right), (right, left)):
        if one.kinds & {"time", "place", "reason", "person"} and not other.kinds:
            return "another kind of question"
        if any(
            one.does(who) and not one.gets(who) and other.gets(who) and not other.does(who)
            for who in ("I", "you")
        ):
            return "another who does it to whom"
    for slot in sorted(left.slots.keys() & right.slots.keys()):
        if not _alike(left.slots[slot], right.slots[slot]):
            return f"another {slot}"
    if not _rotated(left.words, right.words):
        return "another order of words"
    return None


def _kind(word: str, *texts: str) -> str:
    if any(letter.isdigit() for letter in word):
        return "number"
    if word in _NEGATIONS or word.startswith(("un", "non-")):
        return "negation"
    if word in _CONDITIONS:
        return "condition"
    if word in _DIRECTIONS:
        return "direction"
    if word in _names() or any(re.search(rf"\w.*\s{word.title()}\b", text) for text in texts):
        return "name"
    return "word"


@lru_cache(maxsize=4096)
def _meaning(text: str) -> _Meaning:
    words = _split(text)
    implied = _implied(words)
    found = _Meaning()
    for position, word in enumerate(words):
        following = words[position + 1 :]
        before = words[position - 1] if position else ""
        person = "I" if word in _FIRST else "you" if word in _SECOND else ""
        if person:
            _bind_person(found, person, word, before, following)
        elif word in _NEGATIONS:
            found.negated.add(next((one for one in following if one not in _EMPTY), ""))
        if word in _PREPOSITIONS and (phrase := _phrase(following, implied)):
            found.slots[f"'{word}'"].add(phrase)
            found.slots[f"relation to {phrase}"].add(word)
        if word in _PAST:
            found.slots["tense"].add("past")
        elif word in _FUTURE:
            found.slots["tense"].add("future")
        elif word in {"is", "are", "am", "do", "does"}:
            found.slots["tense"].add("present")
        if word.startswith("ask"):
            found.slots["unit"].add(word)
        elif word == "order" and any(re.fullmatch(r"fh\d+", one) for one in words):
            continue  # its id says that it is one
        elif word not in _EMPTY and word not in implied:
            found.words.append(_common(word))
    found.words = [
        one for one, last in zip(found.words, [None, *found.words], strict=False) if one != last
    ]
    _bind_kind(found, words)
    return found


def _split(text: str) -> list[str]:
    text = _POLITE.sub(" ", normalised(text).casefold())
    for pattern, into in _SPELLINGS:
        text = pattern.sub(into, text)
    words = re.findall(r"fh\d+|\d+(?:\.\d+)?|[^\W\d_]+(?:-[^\W\d_]+)*|%|[+<>=-](?=\d)", text)
    return [_number(word) for word in _joined(words)]


def _joined(words: list[str]) -> list[str]:
    """The words with "twenty five" as one number, and 2 pm as 14 pm."""
    out: list[str] = []
    for word in words:
        for part in word.split("-") if word.split("-")[0] in NUMBERS else [word]:
            value = NUMBERS.get(part) if part not in {"a", "an", "another"} else None
            last = out[-1] if out else ""
            if value is not None and 0 < value < 10 and last in _TENS:
                out[-1] = str(int(last) + value)
            elif part in {"hundred", "thousand"} and last.isdigit():
                out[-1] = str(int(last) * (100 if part == "hundred" else 1000))
            elif value is not None:
                out.append(str(value))
            else:
                out.append(part)
    return out


def _number(word: str) -> str:
    """One form for a number: 1.50 and 1.5, first and 1st, twice and 2."""
    value = _ORDINALS.get(word, _OTHER_NUMBERS.get(word))
    if value is not None:
        return str(value)
    if re.fullmatch(r"\d+(\.\d+)?", word):
        whole, _, part = word.partition(".")
        part = part.rstrip("0")
        return f"{int(whole)}.{part}" if part else str(int(whole))
    return word


def _common(word: str) -> str:
    """The form by which a word is compared: of its synonyms, without plural and -ing.

    Other endings stay: "a returned jacket that I wash" is not "a washed jacket that I return".
    """
    if word in _SAME:
        return _SAME[word]
    bare = word
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        bare = word[:-3] + "y" if word.endswith("ies") else word[:-1]
    elif len(word) > 5 and word.endswith("ing"):
        bare = word[:-3]
        if len(bare) > 2 and bare[-1] == bare[-2] and bare[-1] not in "ls":
            bare = bare[:-1]
    return _SAME.get(bare, bare)


@lru_cache(maxsize=1)
def _titles() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Of each product: the words that name it, and those that only say what it is."""
    found = []
    for one in documents():
        if one.kind == "product":
            words = one.title.split()
            names = {word.casefold() for word in words if not word.islower()}
            said = {word.casefold() for word in words if word.islower()}
            found.append((frozenset(names), frozenset(said)))
    return tuple(found)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset().union(*(names for names, _ in _titles()))


def _implied(words: list[str]) -> frozenset[str]:
    """What a named product is: "Alta 2 tent" says no more than "Alta 2"."""
    present = set(words)
    named = [(names, said) for names, said in _titles() if names <= present]
    # "Squall Light" names that jacket, and not also the Squall.
    longest = [one for one in named if not any(one[0] < other[0] for other in named)]
    if len(longest) != 1:
        return frozenset()
    said = longest[0][1]
    return said | {f"{word}s" for word in said} | {word.removesuffix("s") for word in said}


def _bind_person(
    found: _Meaning, person: str, word: str, before: str, following: list[str]
) -> None:
    """Who does what to whom: "do I pay you" and "do you pay me" have the same words."""
    after = next((one for one in following if one not in _EMPTY), "")
    if word in _OWNERS:
        found.slots[f"owner of {_common(after)}"].add(person)
    elif word == "i" or (
        word in {"we", "you"}
        and (
            before in _AUXILIARIES
            or (
                following
                and following[0] not in _PREPOSITIONS
                and before not in _PREPOSITIONS
                and (before in _EMPTY or not before)
            )
        )
    ):
        found.slots[f"doer of {_common(after)}"].add(person)
    elif before and before not in _EMPTY:
        found.slots[f"receiver of {_common(before)}"].add(person)
    elif before in _PREPOSITIONS:
        found.slots[f"'{before}' whom"].add(person)


def _phrase(following: list[str], implied: frozenset[str]) -> str:
    """What a preposition governs: up to three words that count."""
    phrase: list[str] = []
    for word in following:
        if word in _EMPTY or word in _PREPOSITIONS:
            if phrase or word not in {"a", "an", "the", "my", "your", "our", "this", "that"}:
                break
        elif word not in implied:
            phrase.append(_common(word))
    return " ".join(phrase[:3])


def _bind_kind(found: _Meaning, words: list[str]) -> None:
    """What kind of answer is asked for: a time, a place, a way, a yes or no, or a thing."""
    kinds = {
        "when": "time",
        "where": "place",
        "why": "reason",
        "who": "person",
        "how": "way",
        "what": "thing",
        "which": "thing",
        "howmuch": "thing",
    }
    asked = {kinds[word] for word in words if word in kinds}
    if _ATTRIBUTES & set(found.words):
        asked = asked - {"way", "time"} | {"thing"}
    if not asked and words and words[0] in _AUXILIARIES:
        asked = {"yes or no"}
    if asked == {"yes or no"}:
        modal = words[0] if words[0] in {"should", "shall", "must"} else ""
        possible = words[0] in {"can", "may", "could", "might"}
        found.slots["modality"].add("can" if possible else modal or "does")
    if asked:
        found.slots["kind of question"] |= asked


def _alike(left: set[str], right: set[str]) -> bool:
    """Whether two fillings agree; one phrase may be the beginning of the other."""
    return all(
        any(
            f"{one} ".startswith(f"{other} ") or f"{other} ".startswith(f"{one} ")
            for other in second
        )
        for first, second in ((left, right), (right, left))
        for one in first
    )


def _rotated(left: list[str], right: list[str]) -> bool:
    """Whether the words come in the same order, but for one clause moved to the other end."""
    left, right = (
        [word for word in dict.fromkeys(words) if word not in _ATTRIBUTES]
        for words in (left, right)
    )
    return any(left[cut:] + left[:cut] == right for cut in range(max(1, len(left))))
