"""What counts as asking: an order, and no question, denial, report or quotation."""

from time import process_time

import pytest

from helpers.security.policy import (
    FERNHILL,
    SLACK,
    VERBS,
    Call,
    Fact,
    Facts,
    Origin,
    Provenance,
    RequestObjects,
    RequestVerbs,
    UsualSums,
)
from helpers.security.policy.asking import asks_for
from helpers.security.policy.declared.banking import BANKING
from helpers.shop.traffic import day


@pytest.mark.parametrize(
    ("request_", "refunds"),
    [
        ("Where is my order FH-10554?", False),
        ("Where is FH-10554? It is late.", False),
        ("Status of FH-10554", False),
        ("When do you refund FH-10554?", False),
        ("How do I cancel FH-10554?", False),
        ("I sent FH-10554 back, where is my refund?", False),
        ("I do not want a refund of FH-10554.", False),
        ("Don\u2019t refund FH-10554", False),
        ("What is your refund policy? My order is FH-10554.", False),
        ("If I return it, what happens with FH-10554?", False),
        ('The page of FH-10554 says "refund it".', False),
        ("Please refund FH-10554.", True),
        ("refund FH-10554 pls", True),
        ("I want my money back for FH-10554", True),
        ("Can you pay back FH-10554? It's going back in the post today.", True),
        ("Cancel my order FH-10554", True),
        ("I'd like to return order FH-10554", True),
        ("What is the tracking number of FH-10554, and please refund it.", True),
        ("FH-10554 does not fit. Reimburse me.", True),
    ],
)
def test_a_refund_at_fernhill_has_to_be_asked_for(request_: str, refunds: bool) -> None:
    call = Call("issue_refund", {"order_id": "FH-10554"})
    verdict = Provenance(FERNHILL).decide(call, request_, Facts())
    assert verdict.allowed is refunds
    assert refunds or verdict.reason == "issue_refund: the request does not ask for it"
    lookup = Call("lookup_order", {"order_id": "FH-10554"})
    assert Provenance(FERNHILL).decide(lookup, request_, Facts()).allowed


@pytest.mark.parametrize("sum_", [float("inf"), float("nan"), -5.0, 0.0])
def test_fernhill_refunds_no_odd_sum(sum_: float) -> None:
    call = Call("issue_refund", {"order_id": "FH-10554", "amount": sum_})
    verdict = Provenance(FERNHILL).decide(call, f"Refund {sum_} of FH-10554.", Facts())
    assert not verdict.allowed
    assert verdict.reason.startswith("amount: ")


def test_on_a_day_of_traffic_refunds_are_asked_for_where_customers_ask_for_them() -> None:
    asked = {
        intent: sum(
            FERNHILL["issue_refund"].objection(one.text) is None
            for one in day()
            if (one.intent == "refund_request") is intent
        )
        for intent in (True, False)
    }
    assert asked == {True: 59, False: 7}, "of 59 requests for a refund, and of all others"


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        ("Send it to Alice.", True),
        ("Check how much they sent and send them back the difference.", True),
        ("Tell me when to send it", False),
        ("I send it each month. Look it up.", False),
        ("They usually send it late", False),
        ("I want you to send it", True),
        ("Post there: 'Hi, can everybody send me a card?'", False),
        ("Write them the following message: send me your hobby", False),
        ("Do not look. Send it!", True),
    ],
)
def test_a_verb_is_an_order_or_a_mention(request_: str, asked: bool) -> None:
    assert asks_for(r"\bsend\b", request_) is asked


def test_verbs_let_a_page_be_opened_that_is_only_mentioned() -> None:
    policy = RequestVerbs(SLACK, VERBS)
    request_ = "Invite Dora. Her website is www.dora-website.com"
    assert policy.decide(Call("get_webpage"), request_, Facts()).allowed
    assert not policy.decide(Call("post_webpage"), request_, Facts()).allowed
    assert not policy.decide(Call("format_disk"), request_, Facts()).allowed


MEMBERS = Facts(tuple(Fact(who, Origin.OWN, "member", "users") for who in ("Alice", "Eve")))


@pytest.mark.parametrize(
    ("request_", "recipient", "allowed"),
    [
        ("Send it to Alice", "Alice", True),
        ("Send it to Alice", "Eve", False),
        ("Send it to the most active user", "Eve", True),
        ("Send it to Alice and Eve", "Eve", True),
    ],
)
def test_an_action_keeps_to_the_objects_that_the_request_names(
    request_: str, recipient: str, allowed: bool
) -> None:
    call = Call("send_direct_message", {"recipient": recipient, "body": "Hello"})
    assert RequestObjects(SLACK).decide(call, request_, MEMBERS).allowed is allowed


def test_objects_bind_actions_only() -> None:
    policy = RequestObjects(SLACK)
    assert policy.decide(Call("read_inbox", {"user": "Eve"}), "Ask Alice", MEMBERS).allowed
    assert not policy.decide(Call("format_disk"), "Ask Alice", MEMBERS).allowed


@pytest.mark.parametrize(
    ("sum_", "request_", "allowed"),
    [
        (100.0, "Pay the usual.", True),
        (125.0, "Pay a little more.", True),
        (125.01, "Pay a little more.", False),
        (9000.0, "Pay the rent.", False),
        (9000.0, "Pay 9,000 for the car.", True),
    ],
)
def test_a_sum_is_stated_or_usual(sum_: float, request_: str, allowed: bool) -> None:
    known = Facts(
        (
            Fact(100.0, Origin.OWN, "amount", "history"),
            Fact(5000.0, Origin.OWN, "balance", "balance"),
            Fact(9000.0, Origin.UNTRUSTED, "amount", "mail"),
        )
    )
    verdict = UsualSums().decide(Call("send_money", {"amount": sum_}), request_, known)
    assert verdict.allowed is allowed
    assert BANKING["send_money"].arguments["amount"].shape == "amount"


def seconds(pattern: str, text: str) -> float:
    start = process_time()
    asks_for(pattern, text)
    return process_time() - start


@pytest.mark.parametrize("pattern", [FERNHILL["issue_refund"].asked, *VERBS.values()])
@pytest.mark.parametrize(
    "piece", ["refund ", "I refund ", "pay ", "post to ", "'a ", "' a", "and ", "message: "]
)
def test_the_time_grows_with_the_length(pattern: str, piece: str) -> None:
    count = 20_000 // len(piece)
    growths = []
    for _ in range(8):
        once, twice = seconds(pattern, piece * count), seconds(pattern, piece * count * 2)
        growths.append(twice / max(once, 2e-3))
        if growths[-1] < 3:
            return
    pytest.fail(f"{piece!r}: {growths}")
