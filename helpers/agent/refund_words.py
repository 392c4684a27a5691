"""Whether a customer's words ask for a refund now, of which order, and how much.

Money that was paid cannot be fetched back, so this reads strictly, by a list of what it
understands. A request is a clause of one of a few English forms ("refund it", "can you pay me back
£20", "I would like my money back") that holds nothing but words of such requests, and at most one
sum. Everything else that speaks of a refund is no request: a negation, a question about one, a
condition, the words of others, a report. What stands around the request must be of a few kinds
too, so that nothing takes it back or makes it depend on something: a greeting, a question, a plain
statement about what was bought.

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
    text = plain(message)
    clauses = _clauses(marked(_spelt_out(text)))
    requests = [clause for clause in clauses if _is_request(clause)]
    if not requests or _NO_PLAIN_TEXT.search(text) or "<" in message or "{" in message:
        half_read = any(
            _TELLS.match(clause.text) and has_numbers(without_marks(clause.text))
            for clause in clauses
        )
        raise RefundUnclear(HOW_MUCH if half_read else WHETHER)
    previous = ["", *(clause.text for clause in clauses)]
    for clause, before in zip(clauses, previous, strict=False):
        if clause not in requests and not _is_harmless(clause, before):
            raise RefundUnclear(WHETHER)
    last = clauses.index(requests[-1])
    if any(_BEHIND.match(clause.text) for clause in clauses[last + 1 :]):
        raise RefundUnclear(WHETHER)
    asking, words = (" ".join(each.text for each in some) for some in (requests, clauses))
    orders = frozenset(ORDER.findall(words))
    if len(orders) > 1 and (SUM.search(asking) or orders != set(ORDER.findall(asking))):
        raise RefundUnclear(WHICH)
    try:
        amount = sum_asked(asking, words)
    except ValueError as unclear:
        raise RefundUnclear(HOW_MUCH) from unclear
    return RefundRequest(amount, frozenset(f"FH-{number}" for number in orders))


# --- clauses ------------------------------------------------------------------------------------

# What a plain message does not need: quotation marks, other currencies, lists, mark-up.
_NO_PLAIN_TEXT = re.compile(r"[^\w\s£.,;:!?'()/&#%-]|_|(?<!\w)'[^']+'(?!\w)")
_SHORT_FORMS = (
    (r"\b(?:dont|don t)\b", "do not"),
    (r"\bcan'?t\b|\bcannot\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(i|we|you|they|he|she|it)'d\b", r"\1 would"),
    (r"\b(i)'m\b|\bim\b", "i am"),
    (r"\b(i|we|you|they)'ve\b", r"\1 have"),
    (r"\b(i|we|you|they|it)'ll\b", r"\1 will"),
    (r"\bi would be (?:very |most )?grateful if you (?:could|would)\b", "can you please"),
    (r"\bi would (?:really )?appreciate it if you (?:could|would)\b", "can you please"),
    (r"\bas soon as possible\b|\ba\.s\.a\.p\b", "asap"),
    (r"\bas (?:soon|long|far) as\b", "once"),
    (r"\b(?:pls|plz|kindly)\b", "please"),
    (r"\b(?:thx|ty|cheers)\b", "thanks"),
    (r"\bas well\b|\btoo(?=[.!]|$)|\bwhile you(?:'re| are) at it\b", "also"),
    (r"\bre-(?=fund)", "re"),
)
# A line that ends without a mark goes on in the next one.
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|;|(?<=[,:])[^\S\n]*\n\s*|\n\s*\n\s*")
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
    r"|(?:can|could|may) (?:i|we) (?=.*\b(?:please|thanks?)\b)(?:(?:please|just|now|also) )*"
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
    r" (?:for (?:the|a|an|my|your|being|having)|due to|towards) (?!order\b|\{)[^<]*$"
)
_ABOUT_IT = re.compile(r"\{|\bback\b|\bmoney\b|refund|reimburs|repa(?:y|id)")
_WHEN = re.compile(a_word_of("when after before as_soon"))
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
    reason = _REASON.search(clause.text) if SUM.search(clause.text) else None
    if reason and (_IN_DOUBT.search(reason[0]) or _WHEN.search(reason[0])):
        return False
    text = clause.text[: reason.start()] if reason else clause.text
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


# --- what may stand around it -------------------------------------------------------------------

_LINKED = r"(?:(?:and|but|so|then|please|well|now|because|since|as|cos|also|sorry) )*"
_COURTESIES = (
    "hi hello hey dear team all there good morning afternoon evening day please thanks thank you "
    "many very much in advance so kind best warm regards wishes yours sincerely faithfully sir "
    "madam or sorry again ok okay yes for your help the time fernhill support shop and ever then "
    "now"
)
_COURTESY = frozenset(_COURTESIES.split())
_SIGNS_OFF = re.compile(r"\b(?:thanks|thank you|regards|wishes|sincerely|faithfully|best)$")
_NAME = re.compile(r"[a-z'-]+(?: [a-z'.-]+){0,2}")
_STATES = re.compile(
    rf"{_LINKED}(?:(?:for|on|about|regarding|re) )?(?:it|its|they|the|my|our|this|that|these|those|"
    r"one|some|both|all|there|i|we|a|an|arrived|came|changed|wrong|too|never|still|bought|ordered|"
    r"got|received|broken|damaged|faulty|order|\d+|\{\d+\})(?!\w)"
)
_DOES_ELSE = re.compile(
    rf"{_LINKED}(?:check|look|see|find out|tell me|stop|cancel|send me|return)\b"
)
_QUESTION = re.compile(
    rf"{_LINKED}(?:where|when|what|which|who|how|why|is|are|was|were|has|have|did|does|do|any|can|"
    r"could|would|will)\b"
)
_MODAL = re.compile(rf"^{_LINKED}(?:can|could|would|will)\b")
_EMBEDDED = re.compile(
    r"\b(?:see|check|know|find out|tell me|ask|look) (?:up )?(?:if|whether|when|where)\b"
)
_CONDITIONS = (
    "if unless in_case provided providing assuming until till once otherwise depending whether "
    "except suppose supposing imagine whenever given event subject pending approv\\w+ permission "
    "consent possible allowed entitled eligible condition so_long the_moment only"
)
_WITHDRAWN = (
    "forget never_?mind asking wonder(?:ing)? curious hypothetical\\w* theoretical\\w* ignore "
    "disregard scrap actually second_thoughts? wait hold not_yet later tomorrow next_week "
    "next_month fortnight beforehand bother kidding joking joke testing example instead rather "
    "make_(?:it|that) exchange replace\\w* swap keep(?:ing|s)? withdraw\\w* "
    "take_(?:it|that)_back meant? correction without less"
)
_REPORTED = (
    "said says saying told tells wrote writes written reads according suggest\\w* advis\\w* "
    "recommend\\w* wants claims claimed heard thinks? believes? quote\\w* states? stated asked "
    "asks text(?:s|ed) typed messag\\w+ e-?mail(?:ed)? replied "
    "answered demand\\w* contain\\w* mail letter note line chat"
)
_IN_DOUBT = re.compile(
    "|".join(
        [
            a_word_of(f"{_CONDITIONS} {_WITHDRAWN} {_REPORTED}"),
            r"\b(?:would|should|must|may|might|shall|(?:will|can|could)(?! not))\b",
            rf"^{_LINKED}(?:do not|never (?:refund|pay)|no|nope|nah|not|nobody|no one|none)\b",
            r"\b(?:not|never|no|nor|without|neither|ever)$",
            # a refund that this clause does not ask for
            r"\brefund|\breimburs|\brepa(?:y|id)\b|\bmoney back\b",
            r"\b(?:pay|paid|give|gave|send|sent|get|got|have)\b.*\bback\b.*(?:<|\bmoney\b)",
            r"\b(?:not|never|no|without|nor)\b.*\b(?:money|cash|funds)\b",
            # something that is to come first
            r"\b(?:call|ring|phone|ask|contact|check with|talk to|wait for|let) (?:me|us|my)\b",
        ]
    )
)
# "Cancel it and refund me" asks for a refund; "refund me. Cancel that." does not.
_BEHIND = re.compile(rf"{_LINKED}(?:cancel|stop|undo|leave|drop|skip)\b")


def _is_harmless(clause: _Clause, previous: str) -> bool:
    """Whether a clause that is no request leaves no doubt that another one is meant.

    `previous` is the clause before it, which may sign off with the customer's name to come.
    """
    if set(without_marks(clause.text).split()) <= _COURTESY:
        return True
    if _SIGNS_OFF.search(previous) and _NAME.fullmatch(clause.text):
        return True
    text = _EMBEDDED.sub("", clause.text)
    if clause.asks and _QUESTION.match(text):
        text = _MODAL.sub("", text)
    elif not _STATES.match(text) and not _DOES_ELSE.match(clause.text):
        return False
    return _IN_DOUBT.search(text) is None
