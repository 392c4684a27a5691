"""Whether an answer says that it does not know, and whether it claims something all the same."""

import re
from dataclasses import dataclass

# Said by someone who lacks the information. Deliberately narrow: "we do not have any shops in
# Wales", "damage is not covered by the guarantee" and "we cannot provide a refund" are answers.
_ME = r"\b(?:i|we)"
_BE = r"\b(?:i am|i'm|we are|we're)"
_KNOWLEDGE = r"(?:information|info|answers?|details?|data|mention)\b"
_SOURCE = r"(?:documents?|documentation|context|sources?|passages?|information|text)\b"
_REFUSALS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_ME} (?:really )?do not (?:actually )?know\b",
        rf"{_ME} (?:do|could|can|did) ?not (?:have|see|find|give|provide|offer)\b.*\b{_KNOWLEDGE}",
        rf"{_ME} have no\b.*\b(?:{_KNOWLEDGE}|idea\b)",
        rf"{_ME} (?:can|could) ?not (?:answer|say|tell|determine)\b",
        rf"{_ME} (?:(?:can|could) ?not|(?:was|were) not able to) "
        r"(?:find|confirm|help (?:you )?with) "
        r"(?:that|this|it|anything|out|whether|if|how|what|when|where|who|which)\b",
        rf"{_BE} (?:not (?:sure|certain|aware)|unsure|uncertain|unaware)\b",
        rf"{_BE} (?:not able|unable) to (?:find|answer|say|tell|confirm|help)\b",
        rf"\bthere is (?:no|not any|not enough) {_KNOWLEDGE}",
        rf"\bno {_KNOWLEDGE}.*\b(?:{_SOURCE}|available|found)",
        rf"\b{_SOURCE}.*\b(?:do|does|did) not (?:say|mention|answer|cover|contain|state|specify|"
        r"give|provide|include|tell)\b",
        r"\bpolic(?:y|ies)\b.*\b(?:do|does|did) not (?:say|mention|state|specify|tell)\b",
        r"\b(?:is|are|was|were) not (?:mentioned|stated|specified|documented)\b",
        r"\b(?:is|are|was|were) not (?:covered|given|listed|included|answered) (?:in|by) "
        rf"(?:\w+ )*{_SOURCE}",
        r"\bnot (?:something|anything|a question) (?:i|we) (?:can|could) answer\b",
    )
)

# Beside a refusal these promise nothing about the shop or its goods.
_COURTESY = re.compile(
    r"(?:(?:i am|i'm|we are|we're)? ?(?:very |so |really )?sorry\b[^.]*"
    r"|(?:i |we |my )?apolog\w+\b.*|unfortunately|thank(?:s| you)\b.*|hello|hi"
    r"|(?:i|we) (?:hope|understand|appreciate)\b.*|(?:yes|no|well|ok|okay)"
    r"|.*\b(?:colleague|customer service|support|our team|advisor|adviser|staff)\b.*"
    r"|(?:so |but |or )?(?:please |you (?:can|could|may) |feel free to |do )?(?:please )?"
    r"(?:contact|ask|call|ring|e-?mail|write to|get in touch|reach out|check|try|let)\b.*"
    r"|(?:can|could|may|shall|would|is|do|are|how)\b.*\?)"
)
_PIECES = re.compile(
    r"(?<=[.!?])\s+|\n+|;\s+|:\s+|\s+-\s+|"
    r",?\s+(?:but|however|although|though|yet)\b,?\s*|"
    # A comma starts a new statement when a subject follows: "I don't know, it is 30 days".
    r",\s+(?:and\s+|so\s+|as\s+|because\s+|since\s+)?"
    r"(?=(?:it|it's|they|we|you|the|this|that|there|our|your|i|i'm)\b)"
)


@dataclass(frozen=True)
class Refusal:
    """Whether an answer refuses, and what it claims beside the refusal."""

    refused: bool
    claims: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """A refusal and nothing else: the only right answer to an unanswerable question."""
        return self.refused and not self.claims


def _spelt_out(text: str) -> str:
    text = text.casefold().replace("’", "'")
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    text = (
        text.replace("can't", "can not").replace("cannot", "can not").replace("won't", "will not")
    )
    return re.sub(r"n't\b", " not", text)


def find_refusal(answer: str) -> Refusal:
    """Look for a refusal, and for claims beside it.

    The answer is cut into statements at the ends of sentences, and at "but", colons and commas
    that start a new clause. Each is a refusal, a courtesy ("Sorry", "Please contact us", an offer
    to hand over), or a claim. A courtesy that holds a number is a claim: "Call us within 30 days."
    "I do not know. It is 30 days." is therefore a refusal with the claim "it is 30 days.".
    """
    refused, claims = False, []
    for piece in _PIECES.split(_spelt_out(answer)):
        statement = piece.strip(" \t.!*_-,")
        if not statement:
            continue
        if any(pattern.search(statement) for pattern in _REFUSALS):
            refused = True
        elif not _COURTESY.fullmatch(piece.strip(" \t!.*_-,")) or re.search(r"\d", statement):
            claims.append(statement)
    return Refusal(refused, tuple(claims) if refused else ())
