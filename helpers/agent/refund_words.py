"""What a customer's words ask to be paid back: a sum, everything, or nothing that is clear.

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

from helpers.models.normalise import normalised


class RefundUnclear(Exception):  # noqa: N818 - the customer is asked, nothing is broken
    """Whether to pay, or how much, is in doubt; the message tells the customer what is missing."""


WHETHER = "it is not clear whether you want money back now"
WHICH = "it is not clear which order you mean"
HOW_MUCH = "it is not clear how much you want back"


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
    parts = _clauses(_mask(_plain(message)))
    requests = [part for part in parts if _is_request(part)]
    others = [part for part in parts if part not in requests]
    if not requests or _QUOTED.search(message):
        asked = any(_TELLS.match(part.text) and _numbers(_bare(part.text)) for part in parts)
        raise RefundUnclear(HOW_MUCH if asked else WHETHER)
    last = parts.index(requests[-1])
    if any(_takes_back(part, first=parts.index(part) < last) for part in others):
        raise RefundUnclear(WHETHER)
    words, asking, elsewhere = (
        " ".join(part.text for part in some) for some in (parts, requests, others)
    )
    orders = frozenset(_ORDER.findall(asking) or _ORDER.findall(words))
    sums = [Decimal(number) for number in _SUM.findall(asking)]
    if len(orders) > 1 and (sums or not _ORDER.search(asking)):
        raise RefundUnclear(WHICH)
    if sums:
        beside = _numbers(_COUNTED.sub("", _bare(words)))
        several = len(sums) > 1 or _SUM.search(elsewhere) is not None
        unclear = several or sums[0] == 0 or beside or _RELATIVE.search(words) is not None
    else:
        unclear = (
            _numbers(_ORDER.sub("", words)) or _MONEY.search(_PRONOUN.sub("", words)) is not None
        )
    if unclear or _LESS.search(words):
        raise RefundUnclear(HOW_MUCH)
    return RefundRequest(sums[0] if sums else None, frozenset(f"FH-{one}" for one in orders))


def _bare(text: str) -> str:
    """The text without its orders and sums."""
    return _ORDER.sub("", _SUM.sub("", text))


def _numbers(text: str) -> bool:
    """Whether there are numbers in digits of any script, or as "½" and "²"."""
    return any(character.isnumeric() for character in text)


# --- one spelling -------------------------------------------------------------------------------

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
    (r"\bre-?(?=fund)", "re"),
)


def _plain(message: str) -> str:
    text = normalised(message).casefold()
    for pattern, written in _SHORT_FORMS:
        text = re.sub(pattern, written, text)
    return text


# --- sums and orders ----------------------------------------------------------------------------

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?"
_UNIT = r"(?:pounds?|quid|gbp|£)(?: sterling)?"
_IN_POUNDS = re.compile(
    rf"(?:(?:£|gbp) ?({_NUMBER})|({_NUMBER}) ?{_UNIT}|(\d+\.\d\d))(?:[.,;:!?)]*)"
)
# A whole piece of text between spaces, with the unit that stands before or behind it.
_PIECE = re.compile(rf"(?:(?<!\S)(?:£|gbp) )?(?<!\S)\(?\S*\d\S*(?: {_UNIT}(?![\w-])[.,;:!?)]*)?")
_ORDER_ID = re.compile(
    r"(?<![\w-])(?:fh[ -]{0,3}|(?:order|number|no\.?|nr\.?) ?#?)(\d{5})(?![\w-])"
)
_SUM = re.compile(r"<([\d.]+)>")
_ORDER = re.compile(r"\{(\d{5})\}")
# "on 12.05" is a day, "size 42.50" a size.
_NO_SUM = re.compile(r"(?:on|at|since|by|until|till|before|after|size|version|model)\s+$")
_COUNTED = re.compile(
    r"\bsize \d+\b|\b\d+(?:st|nd|rd|th|mm|cm|m|kg|g|l|am|pm)\b|\b\d+ (?!(?:and|plus|back|for|off|"
    r"from|out|each|times|more|less|please|pence|euros?|dollars?|percent|per|total|minus|with|of|"
    r"on|in|to|or|max\w*|min\w*|refund\w*)\b)(?=[a-z]{3,})"
)


def _mask(text: str) -> str:
    """The text with each order as {12345} and each sum of pounds as <12.50>.

    A piece of text that is not a sum from its first character to its last stays as it is, and its
    digits are found later: nothing is read out of the middle of "£1.250,00" or "£10-£20".
    """
    text = _ORDER_ID.sub(r" {\1} ", text)
    made, done = [], 0
    for match in _PIECE.finditer(text):
        piece = match[0].lstrip("(")
        found = _IN_POUNDS.fullmatch(piece)
        if found is None or _ORDER.search(piece):
            continue
        number = next(group for group in found.groups() if group)
        if found[3] and _NO_SUM.search(text[: match.start()]):
            continue
        end = re.search(r"[.,;:!?)]*$", piece)
        assert end is not None
        made += [text[done : match.start()], f" <{number.replace(',', '')}> {end[0]}"]
        done = match.end()
    return "".join([*made, text[done:]])


# --- clauses ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Clause:
    """A clause, whether its sentence asks, and what stands before it in that sentence."""

    text: str
    asks: bool
    before: str


_SENTENCE = re.compile(r"(?<=[.!?;])\s+|[\n;]+")
_CLAUSE = re.compile(
    r"\s*(?:(?:,|\s-+)(?!\s*<)|(?<=:)(?!\s*<))\s+|\s+(?=(?:and(?!\s+(?:order\s+)?\{)|but|so(?! kind\b)|then|because|since|"
    r"cos|as(?! to\b))\b)|(?<=[.!])(?=[a-z])"
)


def _clauses(text: str) -> list[_Clause]:
    found = []
    for sentence in _SENTENCE.split(text):
        asks = sentence.rstrip().endswith("?")
        before = ""
        for part in _CLAUSE.split(sentence):
            words = " ".join(re.findall(r"<[\d.]+>|\{\d+\}|[\w'%£$€¥.,/+*-]*[\w%£$€¥]", part))
            if words:
                found.append(_Clause(words, asks, before))
                before = f"{before} {words}".strip() + ":" * part.rstrip().endswith(":")
    return found


# --- what is a request --------------------------------------------------------------------------

_LEAD = (
    r"(?:(?:and|but|so|then|hi|hello|hey|please|just|simply|now|also|ok|okay|yes|yeah|well|thanks|"
    r"there|team|all|sorry|good|morning|afternoon|evening|(?:(?:for|on|of|about|regarding) )?(?:my )?"
    r"(?:order )?\{\d+\}) )*"
)
_PAY = (
    r"(?:go ahead and )?(?:(?:fully )?(?:refund|reimburse|repay)\b"
    r"|(?:pay|give|send|transfer|return|get|hand|put|credit)\b(?=.*(?:\bmoney\b|\brefund\b|<))"
    r"|pay\b(?=.*\bback\b)"
    r"|(?:issue|process|make|start|arrange|do|initiate) (?:(?:me|a|the|my|full) )+refund\b)"
)
_MINE = r"(?=.*(?:<|\brefund(?:ed)?\b|\breimburse(?:d|ment)?\b|\bback\b|\brepaid\b))"
_GIVES = r"(?:pay|give|send|transfer|return|repay|refund|reimburse|make|issue|process)\b"
_TELLS = re.compile(
    rf"{_LEAD}(?:{_PAY}"
    rf"|(?:i|we) (?:would (?:really )?(?:like|love)|(?:really |now )?(?:want|need|request|demand|"
    rf"claim)|am (?:asking|requesting)(?: for)?|ask for)\b(?! to {_GIVES}){_MINE}"
    rf"|(?:a )?(?:full |complete |total )?(?:refund|(?:my )?money back|reimbursement)\b"
    rf"|<[\d.]+> (?:(?:of|for|from|on) .*)?(?:back|refund)\b)"
)
_ASKS = re.compile(
    rf"{_LEAD}(?:(?:can|could|would|will(?=.*\bplease\b)) you (?:(?:please|just|now|also|then|be so kind as to|"
    rf"be able to) )*{_PAY}"
    rf"|(?:can|could|may) (?:i|we) (?=.*\bplease\b)(?:(?:please|just|now|also) )*"
    rf"(?:have|get|receive|claim)\b{_MINE})"
)
_OF_A_REQUEST = frozenset(
    "a all also am and any ask asking away back bank be card cancel cancelled claim complete "
    "completely could can credit demand do entire entirely everything fully for from full get give "
    "go ahead good hand have hello hey hi i immediately in initiate into is issue it its just like "
    "lot love make may me money morning afternoon evening my need now of ok okay on onto order "
    "original our paid pay payment paypal please process put promptly quickly really receive refund "
    "refunded reimburse reimbursed reimbursement repaid repay request requesting return right send "
    "simply so soon sorry start straight sum sure team thank thanks that the them then there these "
    "this to today total transfer us want we well which whole will would yeah yes you your account "
    "method way same able about regarding kind as purchase amount asap arrange again but lots lump worth".split()  # noqa: SIM905
)
# Behind a sum, a reason in the same clause is only a reason.
_REASON = re.compile(
    r" (?:for (?:the|a|an|my|your|being|having)|due to|over|towards) (?!order\b)[^<{]*$"
)
_ABOUT_IT = re.compile(r"\{|\bback\b|\bmoney\b|refund|reimburs|repa(?:y|id)")
# "I pay you back", "return the refund": the money goes the other way.
_OTHER_WAY = re.compile(
    rf"\b{_GIVES} (?:it |this |that )?(?:to )?you\b|\breturn\b.*\brefund\b|\brefund\b.*\bback\b|"
    r"\bback\b.*\brefund\b"
)
_SPEAKS_OF_IT = re.compile(
    r"\brefund|\breimburs|\brepa(?:y|id)\b|\bmoney back\b|\b(?:pay|paid|give|gave|send|sent|get|got|have)"
    r"\b.*\bback\b.*(?:<|\bmoney\b)|\b(?:not|never|no|without|nor)\b.*\b(?:money|cash|funds)\b"
)


def _is_request(clause: _Clause) -> bool:
    text = clause.text
    if _SUM.search(text):
        text = _REASON.sub("", text)
    words = set(re.findall(r"[^\s<>{}]+", _bare(text)))
    if not words <= _OF_A_REQUEST or not _ABOUT_IT.search(text):
        return False
    if _OTHER_WAY.search(text) or _led_astray(clause):
        return False
    if _ASKS.match(text):
        return True
    if not _TELLS.match(text):
        return False
    # "Can you check it and refund it?" asks to do both; "refund it?" asks about it.
    return not clause.asks or _POLITE.match(clause.before) is not None


_POLITE = re.compile(rf"{_LEAD}(?:can|could|would|will) you\b")
_WISHES = re.compile(
    rf"{_LEAD}(?:(?:can|could|would|will) you|(?:i|we) (?:would like|want|need) to)\b"
)
_UNREAL = re.compile(
    r"\b(?:would|should|could|might|may|must|can|will|shall|how (?:to|do|does|i|you|we|one)|to \w+|"
    r"whenever|like)\b|^(?:you|they|he|she|people|nobody|someone|everyone|who|why)\b"
)


def _led_astray(clause: _Clause) -> bool:
    """Whether the words before a clause that goes on from them make it no request.

    "It would be wrong to go and refund it" ends in the words of one, and what follows a colon
    may be somebody's words.
    """
    if clause.before.endswith(":"):
        return re.fullmatch(_LEAD, f"{clause.before[:-1]} ") is None
    if not re.match(r"(?:and|then|so|but)\b", clause.text) or not clause.before:
        return False
    before = _WISHES.sub("", clause.before)
    return _UNREAL.search(before) is not None


# --- what takes a request away ------------------------------------------------------------------

_EMBEDDED = re.compile(
    r"\b(?:see|check|know|find out|tell me|ask|look|say|confirm|wondering) (?:up )?(?:if|whether)\b"
)
_CONDITION = re.compile(
    r"\b(?:given|in the event|subject to|pending|approv\w+|permission|consent|possible|allowed|"
    r"entitled|eligible)\b|"
    r"\b(?:if|unless|in case|provided|providing|as long as|assuming|until|till|once|otherwise|"
    r"depending|whether|except|suppose|supposing|imagine|when(?:ever)?ever)\b"
    r"|^(?:and |but |so |then )?(?:when|as soon as|after|before|should|were|had|only|not until)\b"
)
_WITHDRAWN = re.compile(
    r"\b(?:forget|never ?mind|asking|wonder(?:ing)?|curious|hypothetical\w*|theoretical\w*|ignore|"
    r"scrap|actually|on second thoughts?|wait|hold on|hold off|not yet|later|tomorrow|next week|"
    r"next month|bother|kidding|joking|joke|testing|example|instead|rather|make (?:it|that)|exchange|replace\w*|swap|"
    r"keep (?:it|them|the)|withdraw\w*|take (?:it|that) back|mistake)\b"
)
_REPORTED = re.compile(
    r"\b(?:said|says|saying|told|tells|wrote|writes|written|reads|according|suggest\w*|advis\w*|"
    r"recommend\w*|wants|claims|claimed|heard|thinks?|believes?|quote\w*|states?|stated|asked|asks)\b"
)
_DENIED = re.compile(
    r"^(?:and |but |so |then |please |well |oh )*(?:do not|never|no|nope|not|stop(?! \{| order| it)|"
    r"avoid|refrain|nobody|no one|none|neither|under no|by no|in no|must not|don)\b"
    r"|\b(?:not|never|no|nor|without|neither)$"
)


_FIRST = re.compile(
    r"\b(?:call|ring|phone|e-?mail|ask|contact|check with|talk to|wait for|let) (?:me|us|my|our)\b"
)
_THEN = re.compile(
    r"^(?:and |but |so |then |please |now )*(?:cancel|stop|undo|scrap|leave|drop|skip|keep)\b"
)


def _takes_back(clause: _Clause, *, first: bool) -> bool:
    """Whether a clause that is no request leaves it in doubt that another one is meant.

    `first`: it stands before a request, else behind them all.
    """
    text = _EMBEDDED.sub("", clause.text)
    patterns = (_SPEAKS_OF_IT, _WITHDRAWN, _REPORTED, _DENIED, _FIRST if first else _THEN)
    speaks = any(pattern.search(text) for pattern in patterns)
    return speaks or (_CONDITION.search(text) is not None and not _asks_itself(clause))


def _asks_itself(clause: _Clause) -> bool:
    return (
        clause.asks
        and re.match(r"(?:and |but |so |then )?(?:when|should|had|were)\b", clause.text) is not None
    )


# --- what leaves the sum in doubt ---------------------------------------------------------------

_LESS = re.compile(
    r"\b(?:everything|all|whole|lot|full|total|it)\b.*"
    r"\b(?:but (?:not )?(?:for |the )|except|apart|aside|bar|besides|excluding|other than|less)\b"
)
_PRONOUN = re.compile(r"\b(?:this|that|the|wrong|other|another|right|new|which|no|every|any) one\b")
_FRACTION = (
    r"half|halves|thirds?|quarters?|fifths?|tenths?|per ?cent|percent(?:age)?|each|apiece|twice|"
    r"thrice|double|times|plus|minus|at least|at most|up to|maximum|minimum|max|min|roughly|"
    r"approximately|approx|almost|nearly|maybe|perhaps|or so|or"
)
_RELATIVE = re.compile(
    rf"[%$€¥]|\b(?:about|around|over|under|some|say|(?<!would )like) <|\b(?:{_FRACTION}|euros?|eur|dollars?|usd|cents?|pence|bucks?)\b"
)
_MONEY = re.compile(
    rf"[%$€¥£<]|\b(?:{_FRACTION}|pounds?|quid|gbp|sterling|pence|penny|fivers?|tenners?|bucks?|grand|"
    r"dollars?|usd|euros?|eur|cents?|part(?:s|ial|ially|ly)?|some|bit|most|rest|remainder|remaining|"
    r"difference|balance|share|portion|fraction|fees?|charges?|charged|costs?|postage|shipping|"
    r"prices?|deposit|discount|voucher|credit|tax|vat|excess|extra|one|two|three|four|five|six|"
    r"seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    r"ninety|hundreds?|thousands?|dozens?|couple|few|several|both|first|second|last|only)\b"
)
