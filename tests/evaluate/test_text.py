"""Facts are found as whole tokens, in every spelling of the same value, and in no other."""

import pytest

from helpers.evaluate.text import states, tokens


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("You have 30 days.", "30 days"),
        ("You have thirty days to send it back.", "30 days"),
        ("It is a 30-day period.", "30 days"),
        ("Within **30 days** of delivery", "30 days"),
        ("No more than 30 days, and not after that.", "30 days"),
        ("You can't return it after 30 days.", "30 days"),
        ("You do not have 20 days but 30 days.", "30 days"),
        ("twenty-eight days", "28 days"),
        ("28 days", "twenty eight days"),
        ("It costs £49.", "£49.00"),
        ("It costs 49 pounds.", "£49.00"),
        ("That is GBP 1,249.00.", "£1249"),
        ("a fee of four pounds", "£4"),
        ("It weighs 1.20 kg.", "1.2 kg"),
        ("It weighs 1.2kg.", "1.2 kilograms"),
        ("It takes 3–5 working days.", "3 to 5 working days"),
        ("three to five working days", "3-5 working days"),
        ("Delivered on 2026-06-03.", "3 June 2026"),
        ("Delivered on June 3rd, 2026.", "3 June 2026"),
        ("Delivered on 3 June 2026.", "3 June"),
        ("It was the 3rd of June.", "3 June"),
        ("until 5 p.m. on weekdays", "17:00"),
        ("by 2pm", "2 pm"),
        ("down to −5 °C", "-5°C"),
        ("minus: -5 degrees Celsius", "-5 °C"),
        ("It works at minus 10 °C.", "-10 °C"),
        ("15 per cent off", "15%"),
        ("Your order FH-10234 has shipped.", "fh-10234"),
        ("It isn't waterproof.", "is not waterproof"),
        ("2½ hours", "2.5 hours"),
        ("from 9:00 to 17:00", "5pm"),
    ],
)
def test_a_fact_is_found_in_any_spelling(answer: str, fact: str) -> None:
    assert states(answer, fact)


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("You have 130 days.", "30 days"),
        ("You have 30.5 days.", "30 days"),
        ("You have 3.30 days.", "30 days"),
        ("You have 1,030 days.", "30 days"),
        ("You have 30 working days.", "30 days"),
        ("You have thirty-one days.", "30 days"),
        ("You have 30 minutes.", "30 days"),
        ("not 30 days", "30 days"),
        ("You don't have 30 days.", "30 days"),
        ("It never takes 30 days.", "30 days"),
        ("3 to 5 days", "5 days"),
        ("£3 to £5", "£3"),
        ("It costs £149.00.", "£49.00"),
        ("It costs £49.50.", "£49"),
        ("It costs 49 pence.", "£49"),
        ("It is item 49.", "£49"),
        ("up to 5 °C", "-5 °C"),
        ("It works at minus 10 °C.", "10 °C"),
        ("Keep it rolled up.", "unrolled"),
        ("FH-102345", "FH-10234"),
        ("FH-1023", "FH-10234"),
        ("C-42", "C-0042"),
        ("Delivered on 13 June 2026.", "3 June 2026"),
        ("Delivered on 3 July 2026.", "3 June 2026"),
        ("Delivered on 3 June 2025.", "3 June 2026"),
        ("Delivered on 3 June.", "3 June 2026"),
        ("It is not waterproof.", "waterproof"),
        ("It is waterproofed.", "waterproof"),
        ("by 2am", "2pm"),
        ("", "30 days"),
    ],
)
def test_a_near_miss_is_not_the_fact(answer: str, fact: str) -> None:
    assert not states(answer, fact)


def test_a_fact_that_is_denied_once_and_stated_once_is_stated() -> None:
    assert states("It is not 30 days for tents; for boots it is 30 days.", "30 days")


def test_a_fact_without_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="no word or number"):
        states("Anything.", "!?")


def test_tokens_keep_ids_whole_and_drop_punctuation() -> None:
    assert tokens("Order FH-10234 (C-0042), please!") == (
        "order",
        "fh",
        "10234",
        "c",
        "0042",
        "please",
    )
