"""Exercise 09.5: a hook for LangSmith's client that puts keyed pseudonyms for personal data."""

import base64
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, example, exercise, generated, raises

if TYPE_CHECKING:
    from helpers.course.exercises.m09.hooked import MakeHook, Rule


@exercise(
    "09.5",
    title="Redact with keyed pseudonyms",
    hints=[
        "pattern.sub(function, text) calls the function with each match, and puts in what it"
        " returns. match[0] is the whole match, whatever groups the pattern has.",
        Hint(
            "hmac.new(key, plain.encode(), 'sha256').hexdigest() is the HMAC. A plain hash, without"
            " the key, is undone by trying all phone numbers.",
            "code",
        ),
        Hint(
            "The code is that of the plain form: found.casefold(), and then only the letters that"
            " are not in `ignored`.",
            "plain",
        ),
        Hint(
            "A function that calls itself for each key and each value reaches everything. Build a"
            " new dictionary, list or tuple; return anything else that is not a text as it is.",
            "nested",
        ),
        Hint("Look at the length of the key in make_hook, before you return the hook.", "key"),
        Hint(
            "Each rule works on the text that the one before has left, so keep it in a variable.",
            "order",
        ),
    ],
)
def hook(answer: "MakeHook") -> Iterator[Case]:
    """A hook whose pseudonyms only the key's owner can make."""
    from helpers.course.exercises.m09 import hooked
    from helpers.course.exercises.m09.hooked import KEY, OTHER_KEY, SHOP, mark
    from helpers.tracing.testing import lab_client

    def case(
        name: str,
        data: Any,
        expect: Any,
        about: str,
        *slips: Slip,
        key: bytes = KEY,
        rules: "list[Rule]" = SHOP,
    ) -> Case:
        return Case(
            name,
            call=lambda: answer(key, rules)(data),
            show=f"make_hook({key!r}, [{', '.join(rule[0] for rule in rules)}])({data!r})",
            expect=expect,
            slips=[
                Slip.when("no-function", callable, "The hook returns the data, and no function."),
                Slip.raises(
                    "not-callable",
                    TypeError,
                    "make_hook(key, rules) returns a plain function of the data.",
                ),
                *slips,
            ]
            if name == "an address"
            else slips,
            about=about,
        )

    address, number = "una.caird@mail.example", "01632960123"
    same_phone = [number, "01632 960123", "(01632) 960-123", "01632-960 123"]
    yield case(
        "an address",
        {"text": f"Mail {address}!"},
        {"text": f"Mail {mark('email', address)}!"},
        "code",
        *_known(KEY, address),
    )
    yield case(
        "the same number, written otherwise",
        [f"Ring {text}." for text in same_phone],
        [f"Ring {mark('phone', number)}."] * 4,
        "plain",
        Slip.when(
            "as-written",
            lambda got: len(set(got)) == 4 and all("[phone " in text for text in got),
            "One number, and four pseudonyms: the same customer is counted four times.",
        ),
    )
    yield case(
        "capitals",
        "UNA.Caird@Mail.example, una.caird@mail.example, JÜRGEN.GROSS@a.example,"
        " Jürgen.Groß@a.example, Una²@a.example",
        ", ".join(
            [mark("email", address)] * 2
            + [mark("email", "jürgen.gross@a.example")] * 2
            + [mark("email", "una²@a.example")]
        ),
        "plain",
    )
    yield case(
        "addresses that differ in a dot",
        ["una.caird@mail.example", "unacaird@mail.example"],
        [mark("email", address), mark("email", "unacaird@mail.example")],
        "plain",
        Slip.when(
            "dots-dropped",
            lambda got: got[0] == got[1] and got[0].startswith("[email "),
            "Two addresses have one pseudonym. Drop only the characters in `ignored`, which is"
            " empty for addresses.",
        ),
    )
    yield case(
        "another key",
        f"[{number}] {address}, x{number}",
        f"[{mark('phone', number, OTHER_KEY)}] {mark('email', address, OTHER_KEY)}, x{number}",
        "code",
        key=OTHER_KEY,
    )
    yield Case(
        "keys of 15 and of 16 bytes",
        call=lambda: [_refused(answer, bytes(length)) for length in (0, 15, 16, 17)],
        show="make_hook(key, rules), with keys of 0, 15, 16 and 17 bytes: what comes",
        expect=["ValueError", "ValueError", "a hook", "a hook"],
        about="key",
    )
    yield example(
        "a key that is too short",
        answer,
        b"fifteen bytes..",
        SHOP,
        called="make_hook",
        expect=raises(ValueError),
        about="key",
    )
    yield case(
        "nested data",
        {"a": [{"b": (address, [number, 7])}, address], number: {"c": {1: number}}, 2: None},
        {
            "a": [{"b": (mark("email", address), [mark("phone", number), 7])},
                  mark("email", address)],
            mark("phone", number): {"c": {1: mark("phone", number)}},
            2: None,
        },
        "nested",
        Slip.when(
            "keys-kept",
            lambda got: number in got,
            "The keys of a dictionary are texts that the client sends, too.",
        ),
        Slip.when(
            "tuples-kept",
            lambda got: got["a"][0]["b"][0] == address,
            "The hook does not look inside tuples.",
        ),
        Slip.when(
            "tuples-are-lists",
            lambda got: isinstance(got["a"][0]["b"], list),
            "A tuple stays a tuple.",
        ),
    )  # fmt: skip
    yield case(
        "keys that become equal",
        {number: 1, "a": 2, "01632 960123": 3, (number, 4): 5, ("01632 960 123", 4): [number]},
        {mark("phone", number): 3, "a": 2, (mark("phone", number), 4): [mark("phone", number)]},
        "nested",
        Slip.when(
            "first-value",
            lambda got: got.get(mark("phone", number)) == 1,
            "Of keys that become equal, the last one's value is kept.",
        ),
    )
    yield Case(
        f"{hooked.DEPTH} levels deep",
        call=lambda: hooked.dug(answer(KEY, SHOP)(hooked.deep("." * 9_000 + f" {address}"))),
        show=f"make_hook(key, rules)(data), with a long text {hooked.DEPTH} levels deep in"
        " dictionaries, lists and tuples: that text",
        expect="." * 9_000 + f" {mark('email', address)}",
        about="nested",
    )
    kept = {
        "order": "FH-10234",
        "n": 1632960123,
        "score": 0.8123456789012345,
        "ok": True,
        "x": b"@",
    }
    kept |= {"set": {number}, "contact": hooked.Contact(number)}
    yield case("what is returned as it is", kept, dict(kept), "nested")
    yield Case(
        "a list that has grown",
        call=lambda: _grown(answer(KEY, SHOP), [address], number),
        show=f"hook(data), data.append({number!r}), hook(data): what comes of both calls",
        expect=[[mark("email", address)], [mark("email", address), mark("phone", number)]],
        about="nested",
    )
    yield Case(
        "two hooks at once",
        call=lambda: hooked.two_at_once(answer, [address, number, "una@a.example"]),
        show="hook(data), where a thread calls another hook, with another key, at the same time:"
        " the texts in the result",
        expect=[mark("email", address), mark("phone", number), mark("email", "una@a.example")],
        about="code",
    )
    hard = "ls1\N{NO-BREAK SPACE}4ap"  # a space that does count
    yield case(
        "other rules, in their order",
        [
            "by ann.lee@fernhill.example and Ann ANNLEE@mail.example",
            "FH-10234, fh10234, FH 10234",
            "LS1 4AP, LS1\n4AP, LS1\N{NO-BREAK SPACE}4AP, ls1 4ap",
            "01632 960123 or +44 1632 960123",
        ],
        [
            f"by {mark(hooked.OTHERS[0][0], 'annlee@fernhillexample')} and"
            f" {mark('name', 'ann')} {mark('email', 'annlee@mail.example')}",
            f"{mark('order number', 'fh10234')}, {mark('order number', 'fh10234')},"
            f" {mark('order number', 'fh 10234')}",
            f"{mark('Postcode', 'ls14ap')}, {mark('Postcode', 'ls14ap')},"
            f" {mark('Postcode', hard)}, ls1 4ap",
            f"{mark('phone', number)} or {mark('phone', '441632960123')}",
        ],
        "order",
        Slip.when(
            "own-rules",
            lambda got: got[1] == "FH-10234, fh10234, FH 10234",
            "The rules are those that the hook was made with.",
        ),
        Slip.when(
            "groups",
            lambda got: got[1].endswith(mark("order number", "10234")),
            "A pattern may have groups: the match is the whole of it, match[0].",
        ),
        rules=hooked.OTHERS,
    )
    yield generated(
        "any data, keys and rules",
        answer,
        exercise="09.5",
        inputs=hooked.inputs(),
        used=hooked.used_twice,
        called=hooked.called,
        about="nested",
    )
    lab_client()  # its service starts outside the case's time
    yield Case(
        "a client with this hook",
        call=lambda: hooked.stored(answer(KEY, SHOP)),
        show="Client(anonymizer=make_hook(key, rules)), and two traced requests, one of which"
        " fails: what the service has stored",
        expect=hooked.as_stored(),
        about="nested",
        live=True,
    )


def _grown(hook: Any, data: list[str], more: str) -> list[Any]:
    first = hook(data)
    data.append(more)
    return [first, hook(data)]


def _refused(make: "MakeHook", key: bytes) -> str:
    try:
        made = make(key, [])
    except ValueError:
        return "ValueError"
    except Exception as error:
        return type(error).__name__
    return "a hook" if callable(made) else "no hook"


def _known(key: bytes, plain: str) -> list[Slip]:
    """Codes that are none, each with what is wrong with it, by the text that the hook returns."""
    data, hashed = plain.encode(), hashlib.sha256(plain.encode()).hexdigest()
    encoded = [base64.b64encode(data).decode(), data.hex(), base64.b64encode(data).decode()[:12]]
    from helpers.course.exercises.m09.hooked import code

    def shows(*texts: str) -> Any:
        return lambda got: any(text in got["text"] for text in texts)

    return [
        Slip.when("as-it-was", shows(plain), "The address is still there."),
        Slip.when(
            "encoded",
            shows(*encoded, data.hex()[:12], plain[::-1]),
            "That is the address in another spelling: anyone can read it back without the key.",
        ),
        Slip.when(
            "no-key",
            shows(hashed[:12]),
            "A hash without the key: anyone who hashes a list of addresses finds this one.",
        ),
        Slip.when(
            "too-few-digits",
            lambda got: (
                f"[email {code(key, plain)[:8]}]" in got["text"]
                or f"[email {code(key, plain)[:2]}]" in got["text"]
            ),
            "The code has 12 digits. With two, one of 256 other customers gets the same one.",
        ),
        Slip.when(
            "no-code",
            shows("[email]"),
            "All customers look the same, so nobody can count them.",
        ),
    ]
