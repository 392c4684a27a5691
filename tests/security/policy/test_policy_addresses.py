"""Addresses in free words: found in every spelling that a reader could follow, and nowhere else."""

from time import process_time

import pytest

from helpers.security.policy import REQUEST, Call, Fact, Facts, Origin, Provenance, own, words
from helpers.security.policy.addresses import addresses
from helpers.security.policy.declared.banking import BANKING

IBAN = "DE89370400440532013000"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # account numbers
        ("DE89 3704 0044 0532 0130 00", IBAN),
        ("to DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000 now", IBAN),
        ("DE89\u20093704\u20090044\u20090532\u20090130\u200900", IBAN),
        ("DE89-3704-0044-0532-0130-00", IBAN),
        ("DE89.3704.0044.0532.0130.00", IBAN),
        ("DE 89 370400440532013000", IBAN),
        ("DE 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", IBAN),
        ("\uff24\uff2589 3704 0044 0532 0130 00", IBAN),
        ("DE89\u200b3704\u200b00440532013000", IBAN),
        ("de89 3704 0044 0532 0130 00 for 10 boxes", IBAN.lower()),
        ("GB29 NWBK 6016 1331 9268 19 for 10 boxes", "GB29NWBK60161331926819"),
        ("US13 3000 0001 2121 2121 2 by May", "US1330000001212121212"),
        ("UK12345678901234567890", "UK12345678901234567890"),
        # network addresses
        ("203.0.113.7/x", "203.0.113.7/x"),
        ("see 203.0.113.7.", "203.0.113.7"),
        ("203.0.113.7:8080/a?b", "203.0.113.7:8080/a?b"),
        ("[2001:db8::1]/x", "[2001:db8::1]/x"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost:8000/keys", "localhost:8000/keys"),
        # dots that are none at first sight
        ("evil[.]example", "evil.example"),
        ("evil(.)example", "evil.example"),
        ("evil {.} example/x", "evil.example/x"),
        ("evil[dot]example", "evil.example"),
        ("evil (DOT) example", "evil.example"),
        ("evil\\.example", "evil.example"),
        ("evil\u3002example", "evil.example"),
        ("evil\uff61example", "evil.example"),
        ("evil\uff0eexample", "evil.example"),
        ("evil\u2024example", "evil.example"),
        ("evil\ufe52example", "evil.example"),
        ("evil\u06d4example", "evil.example"),
        ("evil&#46;example", "evil.example"),
        ("evil&period;example", "evil.example"),
        ("evil%2Eexample", "evil.example"),
        ("evil\u200b.exam\u00adple", "evil.example"),
        ("evil.\u034fexample", "evil.example"),
        ("e\u3164vil.example", "evil.example"),
        ("\uff45\uff56\uff49\uff4c.example", "evil.example"),
        ("\u0435vil.example", "\u0435vil.example"),  # a Cyrillic letter: another address
        # schemes, mail
        ("hxxps://evil.example/x", "https://evil.example/x"),
        ("hxxp[:]//evil[.]example", "http://evil.example"),
        ("https://evil.example/x?y=1,", "https://evil.example/x?y=1"),
        ("//evil.example/x", "evil.example/x"),
        ("https:/evil.example/x", "evil.example/x"),
        ("ada[at]evil[.]example", "ada@evil.example"),
        ("ada\uff20evil.example", "ada@evil.example"),
        ("mailto:ada@evil.example", "ada@evil.example"),
        ("javascript:alert", "javascript:alert"),
        ("tel:+441632960001", "tel:+441632960001"),
        ("xn--80ak6aa92e.xn--p1ai", "xn--80ak6aa92e.xn--p1ai"),
        ("[see](https://shop.example/a)", "https://shop.example/a"),
        # what is sent along belongs to the address
        ("shop.example?d=secret", "shop.example?d=secret"),
        ("shop.example#secret", "shop.example#secret"),
        ("shop.example:80@evil.example/x", "shop.example:80@evil.example/x"),
    ],
)
def test_an_address_is_found_in_every_spelling(text: str, found: str) -> None:
    assert addresses(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Order FH-10093, 2 pieces at 12.50, e.g. today.",
        "Room AB12 is free 10 to 12 on 2026-06-15, 20 seats",
        "KW12 next week we meet at 10",
        "at 10:30:00 on 12.11.2026",
        "version v1.2.3.4 and 1.2.3",
        "300.400.500.600",
        "\u597d\u7684\u3002\u8c22\u8c22\u3002",
        "a (.) b and data: 5 boxes",
        "std::vector",
        "Thank you. Kind regards, Fernhill",
        "",
    ],
)
def test_honest_words_hold_no_address(text: str) -> None:
    assert addresses(text) == []


@pytest.mark.parametrize(
    "open_",
    ["evil dot example", "127.1/x", "evil.\nexample", "ring 01632 960001", "intranet/keys"],
)
def test_what_the_docstring_calls_open_is_open(open_: str) -> None:
    """Should one of these be found some day, the docstring changes with it."""
    assert addresses(open_) == []


def test_several_addresses_come_in_their_order() -> None:
    text = (
        "Look at https://evil.example/x?y=1, www.shop.example. Write to a.b@c.example or pay "
        "DE89 3704 0044 0532 0130 00, or DE89370400440532013000! Costs 98.70 e.g. today."
    )
    assert addresses(text) == [
        "https://evil.example/x?y=1",
        "www.shop.example",
        "a.b@c.example",
        IBAN,
        IBAN,
    ]


PAID = Facts((Fact(IBAN, Origin.OWN, "payee", "history"),))


@pytest.mark.parametrize(
    ("note", "request_", "accepted"),
    [
        ("Thank you", "Hello.", True),
        ("to DE89 3704 0044 0532 0130 00", "Hello.", True),  # a known payee
        ("to DE89 3704 0044 0532 0130 01", "Hello.", False),
        ("see evil[.]example", "Hello.", False),
        ("see shop.example", "Tell them of shop[.]example.", True),
        ("see shop.example?d=1", "Tell them of shop.example.", False),
        ("to GB29 NWBK 6016 1331 9268 19", "Pay GB29NWBK60161331926819.", True),
        ("to GB29NWBK60161331926819", "Pay GB29 NWBK 6016 1331 9268 19.", True),
    ],
)
def test_words_are_compared_in_one_spelling(note: str, request_: str, accepted: bool) -> None:
    argument = words(REQUEST, own("payee"))
    assert (argument.objection(note, request_, PAID) is None) is accepted


def test_a_payee_that_the_user_writes_in_groups_is_the_users() -> None:
    call = Call("send_money", {"recipient": IBAN, "amount": 10.0})
    policy = Provenance(BANKING)
    assert policy.decide(call, "Pay 10 to DE89 3704 0044 0532 0130 00.", Facts()).allowed
    assert not policy.decide(call, "Pay 10 to DE89 3704 0044 0532 0130 01.", Facts()).allowed


def seconds(text: str) -> float:
    start = process_time()
    addresses(text)
    return process_time() - start


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.",
        "a-",
        "a b ",
        "AB12 ",
        "AB12 3456 ",
        "A1 ",
        "1.",
        "1:",
        "::",
        "[",
        "[.]",
        "x@y.",
        "@",
        "http://",
        "localhost",
        "&#46;",
        "%2e",
        "\u3002a",
        "\ufdfa",
        "javascript:",
    ],
)
def test_the_time_grows_with_the_length(piece: str) -> None:
    """Twice the length takes less than three times the time; a busy machine gets more tries."""
    count = 20_000 // len(piece)
    growths = []
    for _ in range(5):
        once, twice = seconds(piece * count), seconds(piece * count * 2)
        growths.append(twice / max(once, 1e-3))
        if growths[-1] < 3:
            return
    pytest.fail(f"{piece!r}: {growths}")
