"""What a person types, in one form, before anything is looked for in it.

The same words come in many spellings: full-width digits, no-break spaces, a dozen hyphens, marks
that nobody sees. A pattern that knows one of them misses the others, or worse, reads half a value.
"""

import re
import unicodedata
from itertools import groupby

# Hyphens, dashes and the minus sign; NFKC alone keeps most of them apart.
_DASHES = re.compile("[\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]")
_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc\u2032\uff07]")


def normalised(text: str) -> str:
    """The text in Unicode's form NFKC, with one hyphen, one apostrophe, and nothing invisible.

    Characters of the category Cf (zero-width spaces and joiners, soft hyphens, marks of
    direction) are dropped, as are variation selectors. Letters keep their case, lines their ends.
    So do numbers that are no digits: NFKC makes "£12²" cost £122, and "£1½" £11 over 2.
    """
    groups = groupby(text, key=lambda one: unicodedata.category(one) == "No")
    text = "".join(
        "".join(group) if other else unicodedata.normalize("NFKC", "".join(group))
        for other, group in groups
    )
    text = _DASHES.sub("-", text)
    text = _APOSTROPHES.sub("'", text)
    return "".join(one for one in text if not _invisible(one))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"
