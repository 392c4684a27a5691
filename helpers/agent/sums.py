"""Orders and sums of money in a customer's words, read whole or not at all.

`marked` writes each order as {12345} and each sum of pounds as <12.50>. Whatever has digits and is
neither stays as it is and makes the message unclear, so nothing is read out of the middle of
"£1.250,00" or "£10-£20".
"""

import re
from decimal import Decimal

from helpers.models.normalise import normalised

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?"
_UNIT = r"(?:pounds?|quid|gbp|£)(?: sterling)?"
_IN_POUNDS = re.compile(rf"(?:(?:£|gbp) ?({_NUMBER})|({_NUMBER}) ?{_UNIT}|(\d+\.\d\d))[.,;:!?)]*")
# A whole piece of text between spaces, with the unit that stands before or behind it.
_PIECE = re.compile(rf"(?:(?<!\S)(?:£|gbp) )?(?<!\S)\(?\S*\d\S*(?: {_UNIT}(?![\w-])[.,;:!?)]*)?")
# "on 12.05" is a day, "size 42.50" a size.
_NO_SUM = re.compile(r"(?:on|at|since|by|until|till|before|after|size|version|model)\s+$")
_ORDER_ID = re.compile(
    r"(?<![\w-])(?:fh[ -]{0,3}|(?:order|number|no\.?|nr\.?) ?#?)(\d{5})(?![\w-])"
)
SUM = re.compile(r"<([\d.]+)>")
ORDER = re.compile(r"\{(\d{5})\}")


def a_word_of(words: str) -> str:
    """A pattern for any one of the words, separated by spaces; "_" in a word is a space."""
    return rf"\b(?:{'|'.join(word.replace('_', ' ') for word in words.split())})\b"


_SHARE = (
    "half halves thirds? quarters? fifths? tenths? per_?cent percent(?:age)? each apiece twice "
    "thrice double times plus minus at_least at_most up_to max(?:imum)? min(?:imum)? roughly "
    "approx(?:imately)? almost nearly maybe perhaps or euros? eur dollars? usd cents? pence bucks?"
)
_MONEY = (
    f"{_SHARE} pounds? quid gbp sterling penny fivers? tenners? grand part(?:s|ial|ially|ly)? some "
    "bit most rest remainder remaining difference balance share portion fraction fees? charges? "
    "charged costs? postage shipping prices? deposit discount voucher credit tax vat excess extra "
    "one two three four five six seven eight nine ten eleven twelve \\w+teen twenty thirty forty "
    "fifty sixty seventy eighty ninety hundreds? thousands? dozens? couple few several both "
    "only"
)
_SPEAKS_OF_MONEY = re.compile(rf"[%$€¥£<]|{a_word_of(_MONEY)}")
# Beside a sum, what makes it mean another one: "£20 each", "about £20".
_CHANGES_A_SUM = re.compile(
    rf"[%$€¥]|{a_word_of(_SHARE)}|(?:\b(?:about|around|over|under|some|say)|(?<!would) like) <"
)
# "One stove too many" counts goods; "sorry, thirty" does not.
_NUMBER_WORD = re.compile(
    a_word_of(
        "one two three four five six seven eight nine ten eleven twelve \\w+teen twenty thirty "
        "forty fifty sixty seventy eighty ninety hundreds? thousands?"
    )
    + r"(?! (?:of (?:the|my|our)\b|(?!pounds?|quid|pence|pee)[a-z]{3,}))"
)
# "The wrong one" counts nothing.
_PRONOUN = re.compile(
    a_word_of("this that the wrong other another right new which no every any") + r" one\b"
)
# "Everything but the delivery."
_LESS = re.compile(
    a_word_of("everything all whole lot full total it")
    + ".*"
    + a_word_of("but_(?:not_)?(?:for|the) except apart aside bar besides excluding other_than less")
)
# A number beside a sum that counts goods or days: "2 poles", "size 42", "the 3rd wash".
_COUNTED = re.compile(
    r"\bsize \d+\b|\b\d+(?:st|nd|rd|th|mm|cm|m|kg|g|l|am|pm)\b|\b\d+ (?!"
    + a_word_of(
        "and plus back for off from out each times more less please per total minus with of on in "
        "to or max\\w* min\\w* refund\\w* pence euros? dollars? percent"
    )
    + r")(?=[a-z]{3,})"
)


def plain(message: str) -> str:
    """A message in small letters and one spelling, without the brackets that `marked` uses."""
    return re.sub(r"[<>{}]", " ", normalised(message)).casefold()


def marked(text: str) -> str:
    """A plain text with its orders and sums marked."""
    text = _ORDER_ID.sub(r" {\1} ", text)
    made, done = [], 0
    for match in _PIECE.finditer(text):
        piece = match[0].lstrip("(")
        found = _IN_POUNDS.fullmatch(piece)
        bare = found is not None and found[3] is not None
        if found is None or (bare and _NO_SUM.search(text[: match.start()])):
            continue
        number = (found[1] or found[2] or found[3]).replace(",", "")
        end = piece[len(piece.rstrip(".,;:!?)")) :]
        made += [text[done : match.start()], f" <{number}> {end}"]
        done = match.end()
    return "".join([*made, text[done:]])


def without_marks(text: str) -> str:
    """A marked text without its orders and sums."""
    return ORDER.sub("", SUM.sub("", text))


def has_numbers(text: str) -> bool:
    """Whether there are numbers: in digits of any script, or as "½" and "²"."""
    return any(character.isnumeric() for character in text)


def sum_asked(asking: str, words: str) -> Decimal | None:
    """The one sum of a marked request inside the words of the whole message; None for everything.

    Raises ValueError where the sum is not clear.
    """
    sums = SUM.findall(asking)
    if _LESS.search(words):
        raise ValueError("less than everything")
    if not sums:
        if has_numbers(ORDER.sub("", words)) or _SPEAKS_OF_MONEY.search(_PRONOUN.sub("", words)):
            raise ValueError("a number or a word of money, and no sum")
        return None
    # The same sum may be named again in what stands around the request: "you promised £12".
    different = {Decimal(number) for number in SUM.findall(words)}
    if len(sums) > 1 or len(different) > 1 or _NUMBER_WORD.search(_PRONOUN.sub("", words)):
        raise ValueError("more than one sum")
    if has_numbers(_COUNTED.sub("", without_marks(words))):
        raise ValueError("a number that is no sum and counts nothing")
    if _CHANGES_A_SUM.search(words) or not Decimal(sums[0]):
        raise ValueError("a sum that another word changes, or no money at all")
    return Decimal(sums[0])
