"""Whether a customer's words ask for a refund now, of which order, and how much.

Money that was paid cannot be fetched back, so this reads strictly, by a list of what it
understands. A request is a clause of one of a few English forms ("refund it", "can you pay me back
£20", "I would like my money back") that holds nothing but words of such requests, and at most one
sum. Everything else that speaks of a refund is no request: a negation, a question about one, a
condition, the words of others, a report. What stands around the request may be anything that does
not take it back or make it depend on something.

In doubt `RefundUnclear` asks the customer, which costs an honest one a message more. No model is
asked: what a model says is no evidence of what the customer wants.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from helpers.agent.sums import (
    ORDER,
    SUM,
    a_word_of,
    has_numbers,
    marked,
    plain,
    sum_asked,
    without_marks,
)

WHETHER = "it is not clear whether you want money back now"
WHICH = "it is not clear which order you mean"
HOW_MUCH = "it is not clear how much you want back"


class RefundUnclear(Exception):  # noqa: N818 - the customer is asked, nothing is broken
    """Whether to pay, or how much, is in doubt; the message tells the customer what is missing."""


@dataclass(frozen=True)
class RefundRequest:
    """What is to be paid back: `amount` pounds or, for None, everything, of these orders.

    `orders` holds the ids that the request names; it is empty when the message names no order.
    """

    amount: Decimal | None
    orders: frozenset[str]


def asked_refund(message: str) -> RefundRequest:
    """Read what a customer's message asks to be paid back.

    A sum is taken as it is written, in pounds. Everything is meant only where neither a number nor
    a word of money stands in the message.

    Raises:
        RefundUnclear: the message asks for no refund, or does not say clearly of which order or
            how much.
    """
    clauses = _clauses(marked(_spelt_out(plain(message))))
    requests = [clause for clause in clauses if _is_request(clause)]
    if not requests or _QUOTED.search(message):
        half_read = any(
            _TELLS.match(clause.text) and has_numbers(without_marks(clause.text))
            for clause in clauses
        )
        raise RefundUnclear(HOW_MUCH if half_read else WHETHER)
    last = clauses.index(requests[-1])
    for place, clause in enumerate(clauses):
        if clause not in requests and _takes_back(clause, first=place < last):
            raise RefundUnclear(WHETHER)
    asking, words = (" ".join(each.text for each in some) for some in (requests, clauses))
    orders = frozenset(ORDER.findall(asking) or ORDER.findall(words))
    if len(orders) > 1 and (SUM.search(asking) or not ORDER.search(asking)):
        raise RefundUnclear(WHICH)
    try:
        amount = sum_asked(asking, words)
    except ValueError as unclear:
        raise RefundUnclear(HOW_MUCH) from unclear
    return RefundRequest(amount, frozenset(f"FH-{number}" for number in orders))


# --- clauses ------------------------------------------------------------------------------------

_QUOTED = re.compile(r"(?m)^\s*>|[\"“”„«»]|(?<!\w)['‘][^'‘’]+['’](?!\w)")
_SHORT_FORMS = (
    (r"\b(?:dont|don t)\b", "do not"),
    (r"\bcan'?t\b|\bcannot\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(i|we|you|they|he|she|it)'d\b", r"\1 would"),
    (r"\b(i)'m\b|\bim\b", "i am"),
    (r"\b(i|we|you|they)'ve\b", r"\1 have"),
    (r"\b(i|we|you|they|it)'ll\b", r"\1 will"),
    (r"\bas soon as possible\b|\ba\.s\.a\.p\b", "asap"),
    (r"\bas (?:soon|long|far) as\b", "once"),
    (r"\b(?:pls|plz|kindly)\b", "please"),
    (r"\b(?:thx|ty|cheers)\b", "thanks"),
    (r"\bas well\b", "also"),
    (r"\bre-(?=fund)", "re"),
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|[\n;]+")
# A sum behind a comma, a dash or a colon belongs to what stands before it.
_CLAUSE = re.compile(
    r"\s*(?:(?:,|\s-+)(?!\s*<)|(?<=:)(?!\s*<))\s+|(?<=[.!])(?=[a-z])"
    r"|\s+(?=(?:and(?!\s+(?:order\s+)?\{)|but|so(?! kind\b)|then|because|since|cos|as(?! to\b))\b)"
)
_TOKEN = re.compile(r"<[\d.]+>|\{\d+\}|[\w'%£$€¥.,/+*-]*[\w%£$€¥]")


@dataclass(frozen=True)
class _Clause:
    """A clause, whether its sentence asks, and what stands before it in that sentence."""

    text: str
    asks: bool
    before: str


def _spelt_out(text: str) -> str:
    for pattern, written in _SHORT_FORMS:
        text = re.sub(pattern, written, text)
    return text


def _clauses(text: str) -> list[_Clause]:
    found = []
    for sentence in _SENTENCE.split(text):
        asks = sentence.rstrip().endswith("?")
        before = ""
        for part in _CLAUSE.split(sentence):
            words = " ".join(_TOKEN.findall(part))
            if words:
                found.append(_Clause(words, asks, before))
                colon = ":" if part.rstrip().endswith(":") else ""
                before = f"{before} {words}".strip() + colon
    return found


# --- what is a request --------------------------------------------------------------------------

_LEAD = (
    r"(?:(?:and|but|so|then|hi|hello|hey|please|just|simply|now|also|ok|okay|yes|yeah|well|thanks|"
    r"there|team|all|sorry|good|morning|afternoon|evening|"
    r"(?:(?:for|on|of|about|regarding) )?(?:my )?(?:order )?\{\d+\}) )*"
)
_PAY = (
    r"(?:go ahead and )?(?:(?:fully )?(?:refund|reimburse|repay)\b"
    r"|(?:pay|give|send|transfer|return|get|hand|put|credit)\b(?=.*(?:\bmoney\b|\brefund\b|<))"
    r"|pay\b(?=.*\bback\b)"
    r"|(?:issue|process|make|start|arrange|do|initiate) (?:(?:me|a|the|my|full) )+refund\b)"
)
_MINE = r"(?=.*(?:<|\brefund(?:ed)?\b|\breimburse(?:d|ment)?\b|\bback\b|\brepaid\b))"
_GIVES = a_word_of("pay give send transfer return repay refund reimburse make issue process")
_TELLS = re.compile(
    rf"{_LEAD}(?:{_PAY}"
    r"|(?:i|we) (?:would (?:really )?(?:like|love)|(?:really |now )?(?:want|need|request|demand|"
    rf"claim)|am (?:asking|requesting)(?: for)?|ask for)\b(?! to {_GIVES}){_MINE}"
    r"|(?:a )?(?:full |complete |total )?(?:refund|(?:my )?money back|reimbursement)\b"
    r"|<[\d.]+> (?:(?:of|for|from|on) .*)?(?:back|refund)\b)"
)
_ASKS = re.compile(
    rf"{_LEAD}(?:(?:can|could|would|will(?=.*\bplease\b)) you "
    rf"(?:(?:please|just|now|also|then|be so kind as to|be able to) )*{_PAY}"
    r"|(?:can|could|may) (?:i|we) (?=.*\bplease\b)(?:(?:please|just|now|also) )*"
    rf"(?:have|get|receive|claim)\b{_MINE})"
)
_WORDS_OF_A_REQUEST = (
    "a able about again ahead all also am amount and any arrange as asap ask asking away back bank "
    "be but can cancel cancelled card claim complete completely could credit demand do entire "
    "entirely evening everything for from full fully get give go good hand have hello hey hi i "
    "immediately in initiate into is issue it its just kind like lot lots love lump make may me "
    "method money morning afternoon my need now of ok okay on onto order original our paid pay "
    "payment paypal please process promptly purchase put quickly really receive refund refunded "
    "regarding reimburse reimbursed reimbursement repaid repay request requesting return right "
    "same send simply so soon sorry start straight sum sure team thank thanks that the them then "
    "there these this to today total transfer us want way we well which whole will worth would "
    "yeah yes you your account"
)
_OF_A_REQUEST = frozenset(_WORDS_OF_A_REQUEST.split())
# Behind a sum, a reason in the same clause is only a reason.
_REASON = re.compile(
    r" (?:for (?:the|a|an|my|your|being|having)|due to|over|towards) (?!order\b)[^<{]*$"
)
_ABOUT_IT = re.compile(r"\{|\bback\b|\bmoney\b|refund|reimburs|repa(?:y|id)")
# "I pay you back", "return the refund": the money goes the other way.
_OTHER_WAY = re.compile(
    rf"{_GIVES} (?:it |this |that )?(?:to )?you\b"
    r"|\b(?:return|back)\b.*\brefund\b|\brefund\b.*\bback\b"
)
_POLITE = re.compile(rf"{_LEAD}(?:can|could|would|will) you\b")
_WISHES = re.compile(
    rf"{_LEAD}(?:(?:can|could|would|will) you|(?:i|we) (?:would like|want|need) to)\b"
)
_UNREAL = re.compile(
    a_word_of("would should could might may must can will shall whenever like to_\\w+")
    + r"|\bhow (?:to|do|does|i|you|we|one)\b"
    + r"|^(?:you|they|he|she|people|nobody|someone|everyone|who|why)\b"
)


def _is_request(clause: _Clause) -> bool:
    text = _REASON.sub("", clause.text) if SUM.search(clause.text) else clause.text
    if not set(without_marks(text).split()) <= _OF_A_REQUEST or not _ABOUT_IT.search(text):
        return False
    if _OTHER_WAY.search(text) or _led_astray(clause):
        return False
    if _ASKS.match(text):
        return True
    # "Can you check it and refund it?" asks to do both; "refund it?" asks about it.
    asked_to = not clause.asks or _POLITE.match(clause.before) is not None
    return _TELLS.match(text) is not None and asked_to


def _led_astray(clause: _Clause) -> bool:
    """Whether the words before a clause that goes on from them make it no request.

    "It would be wrong to go and refund it" ends in the words of one, and what follows a colon
    may be somebody's words.
    """
    if clause.before.endswith(":"):
        return re.fullmatch(_LEAD, f"{clause.before[:-1]} ") is None
    goes_on = re.match(r"(?:and|then|so|but)\b", clause.text) and clause.before
    return bool(goes_on) and _UNREAL.search(_WISHES.sub("", clause.before)) is not None


# --- what takes a request away ------------------------------------------------------------------

_EMBEDDED = re.compile(
    r"\b(?:see|check|know|find out|tell me|ask|look|say|confirm|wondering) (?:up )?(?:if|whether)\b"
)
_LINKED = r"^(?:and |but |so |then |please |well |oh |now )*"
_CONDITION = re.compile(
    a_word_of(
        "if unless in_case provided providing assuming until till once otherwise depending whether "
        "except suppose supposing imagine whenever given in_the_event subject_to pending "
        "approv\\w+ permission consent possible allowed entitled eligible"
    )
    + rf"|{_LINKED}(?:when|after|before|should|were|had|only|not until)\b"
)
_ASKS_ITSELF = re.compile(rf"{_LINKED}(?:when|should|were|had)\b")
_WITHDRAWN = a_word_of(
    "forget never_?mind asking wonder(?:ing)? curious hypothetical\\w* theoretical\\w* ignore "
    "scrap actually on_second_thoughts? wait hold_on hold_off not_yet later tomorrow next_week "
    "next_month bother kidding joking joke testing example instead rather make_(?:it|that) "
    "exchange replace\\w* swap keep_(?:it|them|the) withdraw\\w* take_(?:it|that)_back mistake"
)
_REPORTED = a_word_of(
    "said says saying told tells wrote writes written reads according suggest\\w* advis\\w* "
    "recommend\\w* wants claims claimed heard thinks? believes? quote\\w* states? stated asked asks"
)
_DENIED = (
    rf"{_LINKED}(?:do not|never|no|nope|not|stop(?! \{{| order| it)|avoid|refrain|nobody|no one|"
    r"none|neither|under no|by no|in no|must not|don)\b|\b(?:not|never|no|nor|without|neither)$"
)
_SPEAKS_OF_IT = (
    r"\brefund|\breimburs|\brepa(?:y|id)\b|\bmoney back\b"
    r"|\b(?:pay|paid|give|gave|send|sent|get|got|have)\b.*\bback\b.*(?:<|\bmoney\b)"
    r"|\b(?:not|never|no|without|nor)\b.*\b(?:money|cash|funds)\b"
)
_ANYWHERE = re.compile("|".join([_WITHDRAWN, _REPORTED, _DENIED, _SPEAKS_OF_IT]))
_BEFORE = re.compile(
    r"\b(?:call|ring|phone|e-?mail|ask|contact|check with|talk to|wait for|let) (?:me|us|my|our)\b"
)
_BEHIND = re.compile(rf"{_LINKED}(?:cancel|stop|undo|scrap|leave|drop|skip|keep)\b")


def _takes_back(clause: _Clause, *, first: bool) -> bool:
    """Whether a clause that is no request leaves it in doubt that another one is meant.

    `first`: it stands before a request, else behind them all.
    """
    text = _EMBEDDED.sub("", clause.text)
    if _ANYWHERE.search(text) or (_BEFORE if first else _BEHIND).search(text):
        return True
    asks = clause.asks and _ASKS_ITSELF.match(clause.text) is not None
    return _CONDITION.search(text) is not None and not asks
