# ruff: noqa: SIM905 (a list of words is read more easily as a line of text)
"""Small English word lists that routing and arguments need."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

# What a number is called.
NUMBERS = {
    **{word: value for value, word in enumerate(_SMALL.split())},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), start=2)},
    "a": 1,
    "an": 1,
    "another": 1,
}

# Words that say nothing about which tool is meant.
FUNCTION_WORDS = frozenset(
    "the a an of to in is it i my me you we us our for and or on at by with be do does are can "
    "could would please what how this that".split()
)

# A value that is copied out of a request neither begins nor ends with one of these.
EDGES = FUNCTION_WORDS | frozenset("was your as there when where who will need".split())

# A sentence that begins with one of these tells something, unless it holds a word of request.
STATEMENT_STARTS = frozenset(
    "i i'm i've i'd i'll we we're we've we'll my our it it's its he she they you your the this "
    "that these those there a an".split()
)
REQUEST_WORDS = frozenset(
    "need want wish like fancy please can could may might would should must have looking after "
    "how what when where which who why whether i'd we'd".split()
)
