"""Answers to exercise 03.4: filters of a stream, most of them with a hole."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from unicodedata import normalize

from helpers.authoring.answers import right, wrong

Leaks = Callable[[str], bool]
WITHHELD = "Sorry, I cannot answer that."
CUT = r"(?<=[.!?])(?=\s)"


class Filter:
    """A right filter in steps; the answers below change one."""

    cut = CUT
    last_cut = CUT

    def question(self, said: str, sentence: str) -> str:
        return said + sentence

    def sentences(self, held: str) -> list[str]:
        return re.split(self.cut, held)

    def __call__(self, pieces: Iterator[str], leaks: Leaks) -> Iterable[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = self.sentences(held + piece)
            for sentence in whole:
                if leaks(self.question(said, sentence)):
                    yield WITHHELD
                    return
                said += sentence
                yield sentence
        if held:
            yield WITHHELD if leaks(self.question(said, held)) else held


def but(**changed: object) -> object:
    """The right filter with a step of its own."""
    made: Filter = type("Changed", (Filter,), changed)()
    return lambda pieces, leaks: made(pieces, leaks)


@wrong("Nothing comes back.", slip="no-stream")
def nothing() -> object:
    return lambda pieces, leaks: None


@wrong("One text instead of several.", slip="no-stream")
def one_text() -> object:
    return lambda pieces, leaks: "".join(pieces)


@wrong("An async generator.", slip="no-stream")
def is_async() -> object:
    async def guarded(pieces: Iterator[str], leaks: Leaks) -> AsyncIterator[str]:
        for text in Filter()(pieces, leaks):
            yield text

    return guarded


@wrong("Everything goes through.", slip="secret-out")
def lets_through() -> object:
    return lambda pieces, leaks: pieces


@wrong("Whole sentences, without a look.", slip="never-asks")
def never_asks() -> object:
    return lambda pieces, leaks: Filter()(pieces, lambda text: False)


@wrong("Nothing goes through.", slip="all-or-nothing")
def lets_nothing_through() -> object:
    return lambda pieces, leaks: iter([WITHHELD])


@wrong("It waits for the whole answer.", slip="all-or-nothing")
def waits_for_all() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        text = "".join(pieces)
        yield WITHHELD if leaks(text) else text

    return guarded


@wrong("All pieces are read first, and then cut into sentences.", slip="waits")
def reads_first() -> object:
    return lambda pieces, leaks: Filter()(iter(["".join(pieces)]), leaks)


@wrong("It looks at each piece alone.", slip="whole-pieces")
def piece_by_piece() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        for piece in pieces:
            if leaks(piece):
                yield WITHHELD
                return
            yield piece

    return guarded


@wrong("It looks at all that was said, but lets out piece by piece.", slip="half-out")
def half_of_it() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = ""
        for piece in pieces:
            said += piece
            if leaks(said):
                yield WITHHELD
                return
            yield piece

    return guarded


@wrong("A sign at the end of a piece ends a sentence.", slip="decimal")
def end_of_piece() -> object:
    return but(cut=r"(?<=[.!?])(?=\s|$)(?!^)")


@wrong("Every sign ends a sentence, within a number too.", slip="decimal")
def every_sign() -> object:
    return but(cut=r"(?<=[.!?])")


@wrong("The white space between sentences is lost.", slip="changed")
def without_spaces() -> object:
    return but(cut=r"(?<=[.!?])\s+")


@wrong("The white space goes with the sentence before it.")
def space_before() -> object:
    return but(cut=r"(?<=[.!?]\s)")


@wrong("Only blanks count as white space.")
def blanks_alone() -> object:
    return but(cut=r"(?<=[.!?])(?= )")


@wrong("Only white space of ASCII.")
def ascii_space() -> object:
    return but(cut=r"(?<=[.!?])(?=[ \t\r\n\f\v])")


@wrong("Only full stops end a sentence.")
def full_stops() -> object:
    return but(cut=r"(?<=\.)(?=\s)")


@wrong("Exclamation marks are forgotten.")
def no_exclamation() -> object:
    return but(cut=r"(?<=[.?])(?=\s)")


@wrong("An ellipsis ends a sentence, too.")
def ellipsis() -> object:
    return but(cut=r"(?<=[.!?…])(?=\s)")


@wrong("A sign in quotes or brackets ends a sentence, too.")
def closing_quote() -> object:
    return but(cut=r"""(?<=[.!?])(?=\s)|(?<=[.!?]["”)])(?=\s)""")


@wrong("It protects abbreviations, which the rules do not.")
def abbreviations() -> object:
    return but(cut=r"(?<!e\.g\.)(?<=[.!?])(?=\s)")


@wrong("It looks at one sentence at a time.", slip="sentence-alone")
def sentence_alone() -> object:
    return but(question=lambda self, said, sentence: sentence)


@wrong("It looks at the last two sentences.")
def two_sentences() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        sentences: list[str] = []

        def ask(text: str) -> bool:
            sentences.append(text[sum(map(len, sentences)) :])
            return leaks("".join(sentences[-2:]))

        yield from Filter()(pieces, ask)

    return guarded


@wrong("It asks about the text without its outer white space.")
def stripped() -> object:
    return but(question=lambda self, said, sentence: (said + sentence).strip())


@wrong("It asks about the text in small letters.")
def small_letters() -> object:
    return but(question=lambda self, said, sentence: (said + sentence).lower())


@wrong("It asks about what it still holds, as well.")
def asks_more() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                if leaks(said + sentence) or leaks(said + sentence + held):
                    yield WITHHELD
                    return
                said += sentence
                yield sentence
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("It looks when the sentence is out already.", slip="asks-late")
def asks_late() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                said += sentence
                yield sentence
                if leaks(said):
                    yield WITHHELD
                    return
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("A secret over two sentences gets out.", slip="spread-out")
def spread_out() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                if leaks(sentence):
                    yield WITHHELD
                    return
                said += sentence
                yield sentence
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("After a leak it says so, and goes on.", slip="goes-on")
def goes_on() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                leaky = leaks(said + sentence)
                said = said if leaky else said + sentence
                yield WITHHELD if leaky else sentence
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("After a leak it says nothing more, but reads to the end.", slip="goes-on")
def reads_on() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        yield from Filter()(pieces, leaks)
        for _ in pieces:
            pass

    return guarded


@wrong("After a leak it ends without a word.")
def silent() -> object:
    return lambda pieces, leaks: (t for t in Filter()(pieces, leaks) if t != WITHHELD)


@wrong("The sentence goes out with WITHHELD behind it.")
def sentence_and_word() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = ""

        def ask(text: str) -> bool:
            nonlocal said
            said = text
            return leaks(text)

        for text in Filter()(pieces, ask):
            yield said if text == WITHHELD else text
            if text == WITHHELD:
                yield text

    return guarded


@wrong("What is left at the end is not looked at.", slip="last-not-asked")
def last_not_asked() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        held = ""

        def holding() -> Iterator[str]:
            nonlocal held
            for piece in pieces:
                held = re.split(CUT, held + piece)[-1]
                yield piece

        def ask(text: str) -> bool:
            return not text.endswith(held) and leaks(text)

        yield from Filter()(holding(), ask)

    return guarded


@wrong("What is left at the end is forgotten.")
def last_forgotten() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                said += sentence
                if leaks(said):
                    yield WITHHELD
                    return
                yield sentence

    return guarded


@wrong("At the end an empty text may come.", slip="empty-text")
def empty_text() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                said += sentence
                if leaks(said):
                    yield WITHHELD
                    return
                yield sentence
        yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("White space at the very end is dropped.", slip="changed")
def drops_white_end() -> object:
    return lambda pieces, leaks: (text for text in Filter()(pieces, leaks) if text.strip())


@wrong("An error is swallowed.", slip="error-lost")
def swallows() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        except ConnectionError:
            yield WITHHELD

    return guarded


@wrong("An error of the pieces is taken for their end, and what is held goes out.")
def lets_held_out() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        failed: list[Exception] = []

        def reading() -> Iterator[str]:
            try:
                yield from pieces
            except ConnectionError as error:
                failed.append(error)

        yield from Filter()(reading(), leaks)
        if failed:
            raise failed[0]

    return guarded


@wrong("If the look fails, the sentence goes out.")
def fails_open() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        def ask(text: str) -> bool:
            try:
                return leaks(text)
            except ConnectionError:
                return False

        yield from Filter()(pieces, ask)

    return guarded


@wrong("It reads one piece ahead.")
def reads_ahead() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        def ahead() -> Iterator[str]:
            held = next(pieces, None)
            for piece in pieces:
                yield held or ""
                held = piece
            if held is not None:
                yield held

        yield from Filter()(ahead(), leaks)

    return guarded


@wrong("All sentences of a piece are looked at before the first one goes out.")
def looks_at_all_first() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            ready = []
            for sentence in whole:
                said += sentence
                if leaks(said):
                    yield from [*ready, WITHHELD]
                    return
                ready.append(sentence)
            yield from ready
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("The complete sentences of a piece come out as one text.")
def sentences_together() -> object:
    return but(sentences=lambda self, held: re.split(r"(?s)(?<=[.!?])(?=\s)(?!.*[.!?]\s)", held))


@wrong("What was said is kept for the next answer.")
def shared() -> object:
    said = [""]

    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                said[0] += sentence
                if leaks(said[0]):
                    yield WITHHELD
                    return
                yield sentence
        if held:
            yield WITHHELD if leaks(said[0] + held) else held

    return guarded


@wrong("What was said is shared, and cleared when an answer begins.")
def cleared_and_shared() -> object:
    said = [""]

    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said[0] = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            for sentence in whole:
                if leaks(said[0] + sentence):
                    yield WITHHELD
                    return
                yield sentence
                said[0] += sentence
        if held:
            yield WITHHELD if leaks(said[0] + held) else held

    return guarded


@wrong("What was said is shared, and cleared when an answer ends.")
def shared_until_the_end() -> object:
    said: list[str] = []

    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        def ask(text: str) -> bool:
            said.append(text[len("".join(said)) :] if said else text)
            return leaks("".join(said))

        yield from Filter()(pieces, ask)
        said.clear()

    return guarded


@wrong("leaks sees the last 500 signs.", slip="forgets")
def last_signs() -> object:
    return but(question=lambda self, said, sentence: (said + sentence)[-500:])


@wrong("leaks sees the last 2,000 signs.")
def more_last_signs() -> object:
    return but(question=lambda self, said, sentence: (said + sentence)[-2000:])


@wrong("What is held goes out when it is long.", slip="forgets")
def long_sentences_cut() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = held = ""
        for piece in pieces:
            *whole, held = re.split(CUT, held + piece)
            if len(held) > 400:
                whole, held = [*whole, held], ""
            for sentence in whole:
                if leaks(said + sentence):
                    yield WITHHELD
                    return
                said += sentence
                yield sentence
        if held:
            yield WITHHELD if leaks(said + held) else held

    return guarded


@wrong("It ends after 50 sentences.")
def fifty_sentences() -> object:
    return lambda pieces, leaks: islice(Filter()(pieces, leaks), 50)


@wrong("A customer may not be told these words by the model.")
def ends_at_the_word() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        for text in Filter()(pieces, leaks):
            yield text
            if text.strip() == WITHHELD:
                return

    return guarded


def swallowing(*types: type[Exception]) -> object:
    """The right filter, which takes errors of these types for the end."""

    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        except types:
            return

    return guarded


@wrong("An error in a value is taken for the end.", slip="some-errors-lost")
def value_errors() -> object:
    return swallowing(ValueError)


@wrong("A RuntimeError is taken for the end.")
def runtime_errors() -> object:
    return swallowing(RuntimeError)


@wrong("A time-out is taken for the end.")
def time_outs() -> object:
    return swallowing(TimeoutError)


@wrong("An error comes out as one of another type.")
def wraps_errors() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        except Exception as error:
            raise RuntimeError("the stream failed") from error

    return guarded


@wrong("An error comes out as a new one of its type.")
def copies_errors() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        except Exception as error:
            raise type(error)(*error.args) from None

    return guarded


@wrong("It reads the first piece when it is called.")
def reads_at_once() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        first = next(pieces, "")
        return iter(Filter()(chain([first], pieces), leaks))

    return guarded


@wrong("When the reader stops, it reads the rest.")
def reads_when_closed() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        finally:
            list(pieces)

    return guarded


@wrong("When the reader stops, it has another text.")
def yields_when_closed() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        except GeneratorExit:
            yield WITHHELD

    return guarded


@wrong("Titles do not end a sentence.", slip="other-ends")
def titles() -> object:
    return but(cut=r"(?<!Mr\.)(?<!Dr\.)(?<=[.!?])(?=\s)")


@wrong("The signs of other scripts end one, too.")
def other_scripts() -> object:
    return but(cut=r"(?<=[.!?。！？])(?=\s)")


@wrong("The separators of files and records are no white space.")
def no_separators() -> object:
    return but(cut=r"(?<=[.!?])(?=[^\S\x1c-\x1f])")


@wrong("The sign for the next line is no white space.")
def no_next_line() -> object:
    return but(cut=r"(?<=[.!?])(?=[^\S\x85])")


@wrong("The carriage return is lost.")
def no_carriage_return() -> object:
    return lambda pieces, leaks: Filter()((one.replace("\r", "") for one in pieces), leaks)


@wrong("The pieces are brought to one form.")
def normalized() -> object:
    return lambda pieces, leaks: Filter()((normalize("NFC", one) for one in pieces), leaks)


@right("A class with __next__.")
def a_class() -> object:
    class Guarded:
        def __init__(self, pieces: Iterator[str], leaks: Leaks) -> None:
            self.pieces, self.leaks = pieces, leaks
            self.said = self.held = ""
            self.ended = False

        def __iter__(self) -> "Guarded":
            return self

        def __next__(self) -> str:
            while not self.ended:
                if found := re.search(r"[.!?](?=\s)", self.held):
                    sentence, self.held = self.held[: found.end()], self.held[found.end() :]
                    return self.looked_at(sentence)
                try:
                    self.held += next(self.pieces)
                except StopIteration:
                    self.ended = True
                    if self.held:
                        return self.looked_at(self.held)
            raise StopIteration

        def looked_at(self, sentence: str) -> str:
            self.said += sentence
            if self.leaks(self.said):
                self.ended = True
                return WITHHELD
            return sentence

    return Guarded


@right("Sign by sign, without regular expressions.")
def sign_by_sign() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        out, sentence = [], ""
        for piece in pieces:
            for sign in piece:
                if sign.isspace() and sentence[-1:] in tuple(".!?"):
                    if leaks("".join([*out, sentence])):
                        yield WITHHELD
                        return
                    out.append(sentence)
                    yield sentence
                    sentence = ""
                sentence += sign
        if sentence:
            if leaks("".join([*out, sentence])):
                yield WITHHELD
            else:
                yield sentence

    return guarded


@right("Two generators: one cuts, one looks.")
def two_generators() -> object:
    def sentences(pieces: Iterator[str]) -> Iterator[str]:
        held = ""
        for piece in pieces:
            held += piece
            while found := re.search(r"(?<=[.!?])\s", held):
                yield held[: found.start()]
                held = held[found.start() :]
        yield from [held] * bool(held)

    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        said = ""
        for sentence in sentences(pieces):
            said = f"{said}{sentence}"
            if leaks(said):
                yield WITHHELD
                break
            yield sentence

    return guarded


@right("It looks at every place where a sign and white space meet.")
def place_by_place() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        text, start = "", 0
        for piece in pieces:
            before = max(len(text), 1)
            text += piece
            for place in range(before, len(text)):
                if text[place].isspace() and text[place - 1] in ".!?" and place > start:
                    if leaks(text[:place]):
                        yield WITHHELD
                        return
                    yield text[start:place]
                    start = place
        if text[start:]:
            yield WITHHELD if leaks(text) else text[start:]

    return guarded


@right("It looks in a thread of its own.")
def in_a_thread() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        with ThreadPoolExecutor(1) as pool:
            yield from Filter()(pieces, lambda text: pool.submit(leaks, text).result())

    return guarded


@right("It closes the pieces when it ends.")
def closes_the_pieces() -> object:
    def guarded(pieces: Iterator[str], leaks: Leaks) -> Iterator[str]:
        try:
            yield from Filter()(pieces, leaks)
        finally:
            getattr(pieces, "close", lambda: None)()

    return guarded
