"""Exercise 03.3: account numbers out of the conversation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, equal, exercise, generated

if TYPE_CHECKING:
    from helpers.course.exercises.m03.ibans import Detector


@exercise(
    "03.3",
    title="Redact account numbers",
    hints=[
        "For each country of IBAN_LENGTHS, build a pattern: its two letters, two digits, and as"
        " many letters and digits as are left, with an optional separator between any two.",
        Hint(
            "between.join(signs) with between = '[ \\u00a0-]?' puts the separator between all"
            " signs, where signs is a list such as ['[Gg]', '[Bb]', '[0-9]', '[0-9]', ...].",
            "separators",
        ),
        Hint(
            "(?<![A-Za-z0-9]) before the pattern and (?![A-Za-z0-9]) behind it say that no letter"
            r" or digit is there. \b and \d are something else: they know more characters.",
            "beside",
            "length",
        ),
        Hint(
            "Without separators, move the first four characters to the end, write int(c, 36) for"
            " each character c, and join the results: as one number, they leave 1 when divided by"
            " 97.",
            "digits",
        ),
        Hint(
            "Look in the text as it came: text.upper(), or a text without separators, has other"
            " positions.",
            "places",
            "any",
        ),
        Hint(
            "re.finditer continues after a match, even if you then reject it. A pattern inside"
            " (?=(...)) takes no characters, so the search continues at the next character.",
            "overlap",
            "any",
        ),
    ],
)
def detect_iban(answer: "Detector") -> Iterator[Case]:
    """A detector for LangChain's redaction."""
    from helpers.course.exercises.m03 import ibans
    from helpers.course.exercises.m03.ibans import BRITISH, EXAMPLES

    def case(name: str, about: str, texts: dict[str, list[str]], *slips: Slip) -> Case:
        return Case(
            name,
            call=lambda: ibans.found(answer, *texts),
            show=ibans.told(*texts),
            expect=list(texts.values()),
            slips=slips,
            about=about,
        )

    def without(text: str, separator: str = "") -> str:
        return text.replace(" ", separator)

    real, with_z = EXAMPLES["IE"], ibans.iban("GB", "ZZYX56985432104321")
    again = [
        f"X{real}, {real}",
        f"{real}\n{real}",
        f"{real}, {real}x",
        f"{real}x, {real}; X{real}, {real}",
    ]

    def beside(text: str) -> str:
        """A text in which nothing is to be found, before a number that is."""
        return f"{text} My account: {real}."

    yield case(
        "an account number",
        "length",
        {
            f"To {BRITISH} AND QUICK": [BRITISH],
            f"Refund to {without(BRITISH)}.": [without(BRITISH)],
        },
        Slip.value("finds-nothing", [[], []], "There is one in each text, and it was not found."),
        Slip.when(
            "takes-words-along",
            lambda got: "AND" in str(got[0]),
            "A British IBAN has 22 letters and digits: what follows is a word.",
        ),
    )
    yield case(
        "every country",
        "length",
        {f"Account {text}, please.": [text] for text in (*EXAMPLES.values(), with_z)},
    )
    yield case(
        "two of them, and none",
        "length",
        {
            f"From {EXAMPLES['DE']} to {EXAMPLES['FR']}": [EXAMPLES["DE"], EXAMPLES["FR"]],
            f"{real}\n{real}": [real, real],
            "": [],
            "When will my parcel come?": [],
        },
    )
    yield case(
        "separators",
        "separators",
        {
            without(BRITISH, "\u00a0"): [without(BRITISH, "\u00a0")],
            f"my account {without(real, '-')}": [without(real, "-")],
            "-".join(without(EXAMPLES["NL"])): ["-".join(without(EXAMPLES["NL"]))],
            "GB-82 WEST\u00a012345698-765432": ["GB-82 WEST\u00a012345698-765432"],
        },
    )
    yield case(
        "more than one separator, and other ones",
        "separators",
        {
            beside(without(BRITISH, "  ")): [real],
            beside(without(BRITISH, " -")): [real],
            beside(without(BRITISH, "\t")): [real],
            beside(without(BRITISH, "\n")): [real],
            beside(without(BRITISH, ".")): [real],
            beside(without(BRITISH, "_")): [real],
            beside(without(BRITISH, "\u2009")): [real],
        },
    )
    yield case(
        "small letters",
        "length",
        {
            BRITISH.lower(): [BRITISH.lower()],
            "my account is nl91 Abna 0417 1643 00": ["nl91 Abna 0417 1643 00"],
        },
    )
    yield case(
        "what is directly before and behind",
        "beside",
        {
            f"({BRITISH})": [BRITISH],
            f"_{BRITISH}_": [BRITISH],
            f"é{real}é": [real],
            f"X {BRITISH} 1": [BRITISH],
            beside(f"X{BRITISH}"): [real],
            beside(f"7{BRITISH}"): [real],
            beside(f"{BRITISH}x"): [real],
            beside(f"{BRITISH}1"): [real],
        },
    )
    yield case(
        "check digits",
        "digits",
        {
            beside("GB83 WEST 1234 5698 7654 32"): [real],
            beside("ES91 2100 0418 4502 0005 1323"): [real],
            beside(ibans.by_letters("GB", 22)): [real],
            beside("٢GB٨٢ WEST 1234 5698 7654 32"): [real],
            beside(BRITISH.replace("8", "８")): [real],
        },
        Slip.when(
            "wrong-digits",
            lambda got: len(got[0]) == 2,
            "The first one's check digits are wrong: divided by 97, it does not leave 1.",
        ),
    )
    yield case(
        "one sign too few or too many",
        "length",
        {
            beside(ibans.iban(country, "370400440532013000000000"[: length - 4 + more])): [real]
            for country, length in ibans.LENGTHS.items()
            for more in (-1, 1)
        },
    )
    yield case(
        "other countries, and numbers of the shop",
        "length",
        {
            beside("BE68 5390 0754 7034"): [real],
            beside(ibans.iban("XK", "051212051212050506")): [real],
            beside("FH-10234 with PP253166279, model GB12 tent, GB 2 for 1, card 4929"): [real],
        },
    )
    yield case(
        "the place in the text as it came",
        "places",
        {
            f"Straße 5, ŉ ﬁ: {BRITISH}": [BRITISH],
            f"İ 🏕\ufe0f e\u0301 {without(real, '-')}, - - {BRITISH}": [
                without(real, "-"),
                BRITISH,
            ],
        },
    )
    yield case(
        "behind something that only looks like one",
        "overlap",
        {
            f"GB12 {' '.join(without(BRITISH))}": [" ".join(without(BRITISH))],
            f"AT00 AT {EXAMPLES['CH']} {real}": [EXAMPLES["CH"], real],
            f"DE-NL {'-'.join(without(real))}": ["-".join(without(real))],
        },
    )
    yield Case(
        "the same number twice, and once as a part of something else",
        call=lambda: [ibans.places(answer, text) for text in again],
        show=f"where detect_iban finds something in {again}",
        expect=[[(30, real)], [(0, real), (28, real)], [(0, real)], [(30, real), (89, real)]],
        slips=[
            Slip.when(
                "wrong-place",
                lambda got: [len(each) for each in got] == [1, 2, 1, 2],
                "A match points at another place where the same text is: text.find(value) is the"
                " first one, of whatever kind.",
            )
        ],
        about="places",
    )
    made, valid = ibans.all_digits(without(BRITISH))
    rare = [ibans.with_digits(digits) for digits in ("00", "01", "99")]
    yield case(
        "all check digits",
        "digits",
        {
            "; ".join(made): valid,
            **{f"{each}, {beside('')}": [each, real] for each in rare},
        },
        Slip.when(
            "more-or-less-digits",
            lambda got: valid[0] in got[0],
            "The digits are right if the remainder is 1, whatever they are: 00, 01 and 99 can be.",
        ),
    )
    yield case(
        "more separators that are none",
        "separators",
        {
            beside(without(BRITISH, separator)): [real]
            for separator in "\u202f\u2011\u2013\u200b\u3000\u00ad\r\u2007\u2014/,:;'|+*"
        },
    )
    yield case(
        "more that may be directly before and behind",
        "beside",
        {
            f"IBAN-{real}": [real],
            f"-{real}-": [real],
            f"{real}-x {BRITISH}-1": [real, BRITISH],
            **{f"{sign}{real}{sign}": [real] for sign in "/+\u200b\u0430٢ſ\u212aß@.%"},
            beside(ibans.iban("ES", "21000418450200051332").replace("S", "ſ")): [real],
            f" \n\t{real} \n": [real],
            f"\u00a0{real}\u00a0": [real],
        },
    )
    numbers = [ibans.iban("DE", f"37040044{n:010}") for n in range(40)]
    yield case(
        "a long text",
        "length",
        {" ".join(f"{each} {'and so on ' * 40}" for each in numbers): numbers},
    )
    yield Case(
        "in the running agent",
        call=lambda: ibans.read_by_the_model(
            answer, f"Pay back to {BRITISH}, please.", f"{real} or {without(EXAMPLES['AT'], '-')}"
        ),
        show=f"what the model reads of 'Pay back to {BRITISH}, please.' and of '{real} or"
        f" {without(EXAMPLES['AT'], '-')}'",
        expect=["Pay back to [REDACTED_IBAN], please.", "[REDACTED_IBAN] or [REDACTED_IBAN]"],
        about="places",
    )
    yield generated(
        "any text",
        answer,
        exercise="03.3",
        inputs=ibans.inputs(),
        used=_parts,
        called="detect_iban",
        expect=lambda wanted: equal(wanted),
        about="any",
        budget=100,
    )


def _parts(detect: "Detector") -> "Detector":
    """The places that the matches point at, and what is there, whatever their order."""
    from helpers.course.exercises.m03 import ibans

    def call(text: str) -> Any:
        return ibans.places(detect, text)

    return call
