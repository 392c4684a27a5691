# Written by `course build` from solutions/src/03_stop_prompt_injection.py: change it there.
# The exercise's own cell.
import re

from langchain.agents.middleware.pii import PIIMatch

IBAN_LENGTHS = {"AT": 20, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "NL": 18}
SEPARATORS = " \u00a0-"


def detect_iban(text: str) -> list[PIIMatch]:
    """The IBANs of a text whose length and check digits are right."""
    between = f"[{re.escape(SEPARATORS)}]?"
    matches = []
    for (first, second), length in IBAN_LENGTHS.items():
        signs = [f"[{first}{first.lower()}]", f"[{second}{second.lower()}]", "[0-9]", "[0-9]"]
        signs += ["[A-Za-z0-9]"] * (length - 4)
        # Inside (?=...), a match takes no characters: the next one may begin inside it.
        pattern = rf"(?<![A-Za-z0-9])(?=({between.join(signs)})(?![A-Za-z0-9]))"
        for found in re.finditer(pattern, text):
            if is_valid(found[1]):
                start, end = found.span(1)
                matches.append(PIIMatch(type="iban", value=found[1], start=start, end=end))
    return matches


def is_valid(iban: str) -> bool:
    """Whether the check digits are right (ISO 7064, MOD 97-10)."""
    signs = [sign for sign in iban if sign not in SEPARATORS]
    number = "".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])
    return int(number) % 97 == 1
ANSWER = detect_iban
