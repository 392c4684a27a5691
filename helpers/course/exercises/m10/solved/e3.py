# Written by `course build` from solutions/src/10_cut_the_cost.py: change it there.
# The exercise's own cell.
import re
from collections import Counter
from decimal import Decimal

NUMBERS = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
           "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
           "nineteen": 19, "twenty": 20}
POLITE = ("could you tell me", "can you tell me", "i would like to know", "thank you", "thanks",
          "please", "hello", "hi")
IGNORED = {"a", "an", "the", "is", "are", "do", "does", "my", "of", "just"}
SAME = {"backpack": "rucksack", "price": "cost", "parcel": "package", "purchase": "buy",
        "broken": "damaged", "headtorch": "headlamp"}
ORDERED = {"from", "to", "into", "for", "than", "before", "after", "instead", "with", "without",
           "not", "no", "never", "if", "unless", "when", "while", "but", "only", "over", "under"}


def may_serve(asked: str, stored: str) -> bool:
    """Whether two questions differ in harmless ways only."""
    polite = re.compile(rf"\b(?:{'|'.join(POLITE)})\b")
    part = re.compile(r"((?:(?<!\w)-)?\d+(?:,\d{3})*(?:\.\d+)?)|[^\W\d_]+(?:'[^\W\d_]+)*|[£€%°]")

    def meaning(text):
        found = []
        text = " ".join(text.lower().replace("’", "'").split())
        for each in part.finditer(polite.sub(" ", text)):
            word = each[0]
            if each[1]:
                found.append(Decimal(word.replace(",", "")))
            elif word in NUMBERS:
                found.append(Decimal(NUMBERS[word]))
            elif word not in IGNORED:
                word = word[:-1] if len(word) > 3 and word.endswith("s") else word
                found.append(SAME.get(word, word))
        return found

    one, other = meaning(asked), meaning(stored)
    numbers = sum(isinstance(word, Decimal) for word in one)
    if numbers >= 2 or ORDERED & set(one):
        return bool(one) and one == other
    return bool(one) and Counter(one) == Counter(other)
ANSWER = may_serve
