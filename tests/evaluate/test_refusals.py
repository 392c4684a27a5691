"""A refusal is recognised in its usual wordings, and what it claims beside is found."""

import pytest

from helpers.evaluate.refusals import find_refusal


@pytest.mark.parametrize(
    "answer",
    [
        "I do not know.",
        "Sorry, I don’t know.",
        "I'm sorry, but I do not know that.",
        "I do not know. Please contact our customer service.",
        "I don't know, but a colleague can help you with that.",
        "I don't know how many days you have to return a used 30 litre pack.",
        "I do not know if we ship to Norway, Sweden or Denmark.",
        "I could not find that in our documents, so I cannot answer it.",
        "The documents do not say whether we sell kayaks.",
        "Unfortunately, our documents don't mention kayaks. Would you like me to hand you over?",
        "There is no information about kayaks in the documents.",
        "We do not have any information on that.",
        "I am not sure. I can hand you over to a colleague.",
        "I'm unable to find this in the documents.",
        "The price of a kayak is not mentioned in the documents.",
        "I'm afraid I cannot answer that.",
        "We are unable to tell from the documents.",
        "The return policy does not mention kayaks.",
        "I couldn't find any information about that.",
        "I do not know: the documents of the shop do not answer this.",
    ],
)
def test_refusals_without_a_claim(answer: str) -> None:
    refusal = find_refusal(answer)
    assert refusal.refused
    assert refusal.claims == ()
    assert refusal.clean


@pytest.mark.parametrize(
    ("answer", "claim"),
    [
        ("I do not know. It is 30 days.", "it is 30 days"),
        ("I do not know, but it is 30 days.", "it is 30 days"),
        ("I don't know, it is 30 days.", "it is 30 days"),
        ("I don't know: 30 days", "30 days"),
        ("It is 30 days. I am not sure.", "it is 30 days"),
        ("I cannot find that. The tent is waterproof.", "the tent is waterproof"),
        ("I do not know. Please call us within 30 days.", "please call us within 30 days"),
        ("The documents do not say. However, tents are usually waterproof.", "usually waterproof"),
    ],
)
def test_a_claim_beside_a_refusal_is_found(answer: str, claim: str) -> None:
    refusal = find_refusal(answer)
    assert refusal.refused
    assert not refusal.clean
    assert any(claim in found for found in refusal.claims)


@pytest.mark.parametrize(
    "answer",
    [
        "You have 30 days.",
        "Sale items cannot be returned.",
        "We do not refund postage.",
        "No, you cannot wash it in a machine.",
        "I could not find the order FH-10234 in your account.",
        "I cannot refund FH-10234: it was refunded before.",
        "Do you know when it was delivered?",
        "We do not have any shops in Wales.",
        "We are unable to repair zips.",
        "We do not have the Alta 2 in blue.",
        "We cannot provide a refund for sale items.",
        "Accidental damage is not covered by the guarantee.",
        "The policy does not cover accidental damage.",
        "The jacket is not available in green.",
        "You are not able to return underwear.",
        "Receipts are not needed for an exchange.",
        "I have handed you over to a colleague.",
        "",
    ],
)
def test_an_answer_is_no_refusal(answer: str) -> None:
    assert not find_refusal(answer).refused
