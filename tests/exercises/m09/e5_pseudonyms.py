"""Answers to exercise 09.5, most of them a right one with a part that is another."""

import base64
import copy
import functools
import hashlib
import hmac
import re
import threading
import unicodedata
from collections.abc import Callable
from typing import Any

from helpers.authoring.answers import right, wrong

Rule = tuple[str, re.Pattern[str], str]
Hook = Callable[[Any], Any]


class Parts:
    """A right hook in parts, of which a faulty one replaces some."""

    least = 16
    keys = True

    def __init__(self, key: bytes, rules: list[Rule]) -> None:
        if len(key) < self.least:
            raise ValueError(f"give {self.least} bytes or more")
        self.key, self.rules = key, rules

    def __call__(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, dict):
            return {(self(k) if self.keys else k): self(v) for k, v in data.items()}
        if isinstance(data, list):
            return [self(value) for value in data]
        return self.tuple(data) if isinstance(data, tuple) else self.other(data)

    def text(self, text: str) -> str:
        for kind, pattern, ignored in self.rules:
            text = pattern.sub(functools.partial(self.mark, kind, ignored), text)
        return text

    def mark(self, kind: str, ignored: str, match: re.Match[str]) -> str:
        return f"[{kind} {self.code(self.plain(match[0], ignored))}]"

    def plain(self, found: str, ignored: str) -> str:
        return "".join(letter for letter in found.casefold() if letter not in ignored)

    def code(self, plain: str) -> str:
        return hmac.new(self.key, plain.encode(), "sha256").hexdigest()[:12]

    def tuple(self, data: Any) -> Any:
        return tuple(self(value) for value in data)

    def other(self, data: Any) -> Any:
        return data


@wrong("It returns nothing.", slip="not-callable")
def nothing() -> object:
    return lambda key, rules: None


@wrong("Everything passes.", slip="as-it-was")
def passes_all() -> object:
    return lambda key, rules: lambda data: data


@wrong("A hook of a hook.", slip="no-function")
def a_hook_of_a_hook() -> object:
    return lambda key, rules: lambda data: Parts(key, rules)


@wrong("Redacted, and nobody can be counted.", slip="no-code")
def all_alike() -> object:
    class Wrong(Parts):
        def mark(self, kind: str, ignored: str, match: re.Match[str]) -> str:
            return f"[{kind}]"

    return Wrong


@wrong("Base64 of the address.", slip="encoded")
def base64_of_it() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return base64.b64encode(plain.encode()).decode()

    return Wrong


@wrong("The first digits of the address in hexadecimal.", slip="encoded")
def hexadecimal() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return plain.encode().hex()[:12]

    return Wrong


@wrong("The address backwards.", slip="encoded")
def reversed_text() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return plain[::-1]

    return Wrong


@wrong("Each byte moved by the key: the text, rotated.")
def rotated() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return bytes((one + self.key[0]) % 256 for one in plain.encode()).hex()[:12]

    return Wrong


@wrong("A plain hash can be undone by trying.", slip="no-key")
def plain_hash() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return hashlib.sha256(plain.encode()).hexdigest()[:12]

    return Wrong


@wrong("A hash of key and text, which is no HMAC.")
def key_in_front() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return hashlib.sha256(self.key + plain.encode()).hexdigest()[:12]

    return Wrong


@wrong("Python's hash, which is another one in the next process.")
def salted() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return f"{hash((self.key, plain)) & 0xFFFFFFFFFFFF:012x}"

    return Wrong


@wrong("Random numbers, remembered by the hook.")
def by_a_table() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            known = vars(self).setdefault("known", {})
            return str(known.setdefault(plain, f"{len(known):012x}"))

    return Wrong


@wrong("Two digits: one of 256 others has the same.", slip="too-few-digits")
def two_digits() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return super().code(plain)[:2]

    return Wrong


@wrong("HMAC with SHA-1.")
def sha1() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return hmac.new(self.key, plain.encode(), "sha1").hexdigest()[:12]

    return Wrong


@wrong("The digits in capitals.")
def capitals() -> object:
    class Wrong(Parts):
        def code(self, plain: str) -> str:
            return super().code(plain).upper()

    return Wrong


@wrong("As it is written.", slip="as-written")
def as_written() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return found

    return Wrong


@wrong("Letters and digits alone, in addresses too.", slip="dots-dropped")
def letters_and_digits() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return "".join(filter(str.isalnum, found.casefold()))

    return Wrong


@wrong("lower(), which keeps ß.")
def lower() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return "".join(letter for letter in found.lower() if letter not in ignored)

    return Wrong


@wrong("strip() drops what does not count at the ends only.")
def stripped() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return found.casefold().strip(ignored)

    return Wrong


@wrong("Keys of dictionaries are kept.", slip="keys-kept")
def keys_kept() -> object:
    class Wrong(Parts):
        keys = False

    return Wrong


@wrong("Tuples are not looked into.", slip="tuples-kept")
def tuples_kept() -> object:
    class Wrong(Parts):
        def tuple(self, data: Any) -> Any:
            return data

    return Wrong


@wrong("A tuple becomes a list.", slip="tuples-are-lists")
def tuples_are_lists() -> object:
    class Wrong(Parts):
        def tuple(self, data: Any) -> Any:
            return [self(value) for value in data]

    return Wrong


@wrong("Numbers become texts.")
def numbers_as_texts() -> object:
    class Wrong(Parts):
        def other(self, data: Any) -> Any:
            return self.text(str(data)) if isinstance(data, int) else data

    return Wrong


@wrong("It works with the shop's own rules, whatever it gets.", slip="own-rules")
def own_rules() -> object:
    from helpers.course.exercises.m09.hooked import SHOP

    return lambda key, rules: Parts(key, SHOP)


@wrong("The first group of the match.", slip="groups")
def first_group() -> object:
    class Wrong(Parts):
        def mark(self, kind: str, ignored: str, match: re.Match[str]) -> str:
            found = match[1] if kind == "order number" else match[0]
            return f"[{kind} {self.code(self.plain(found, ignored))}]"

    return Wrong


@wrong("The rules from the last to the first.")
def rules_reversed() -> object:
    return lambda key, rules: Parts(key, rules[::-1])


@wrong("The rules in the order of their names.")
def rules_sorted() -> object:
    return lambda key, rules: Parts(key, sorted(rules, key=lambda rule: rule[0]))


@wrong("Any key is good enough.")
def any_key() -> object:
    class Wrong(Parts):
        least = 0

    return Wrong


@wrong("17 bytes are asked for.")
def one_more() -> object:
    class Wrong(Parts):
        least = 17

    return Wrong


@wrong("The data are changed.")
def in_place() -> object:
    class Wrong(Parts):
        def __call__(self, data: Any) -> Any:
            if isinstance(data, dict):
                for name in list(data):
                    data[self(name)] = self(data.pop(name))
                return data
            return super().__call__(data)

    return Wrong


@wrong("The key of the last hook that was made is everyone's.")
def one_key_for_all() -> object:
    keys: list[bytes] = []

    class Wrong(Parts):
        def __init__(self, key: bytes, rules: list[Rule]) -> None:
            super().__init__(key, rules)
            keys.append(key)

        def code(self, plain: str) -> str:
            return hmac.new(keys[-1], plain.encode(), "sha256").hexdigest()[:12]

    return Wrong


@wrong("Of keys that become equal, the first one's value is kept.", slip="first-value")
def first_value() -> object:
    class Wrong(Parts):
        def __call__(self, data: Any) -> Any:
            made: dict[Any, Any] = {}
            if not isinstance(data, dict):
                return super().__call__(data)
            for name, value in data.items():
                made.setdefault(self(name), self(value))
            return made

    return Wrong


@wrong("Of the keys, only texts are looked at.")
def keys_that_are_texts() -> object:
    class Wrong(Parts):
        def __call__(self, data: Any) -> Any:
            if not isinstance(data, dict):
                return super().__call__(data)
            keys = [self(name) if isinstance(name, str) else name for name in data]
            return dict(zip(keys, map(self, data.values()), strict=True))

    return Wrong


@wrong("Fifty levels, and no more.")
def fifty_levels() -> object:
    class Wrong(Parts):
        level = 0

        def __call__(self, data: Any) -> Any:
            self.level += 1
            try:
                return data if self.level > 50 else super().__call__(data)
            finally:
                self.level -= 1

    return Wrong


@wrong("The first 2,000 characters of a text.")
def cut_texts() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            return super().text(text)[:2000]

    return Wrong


@wrong("A text with a bracket in front is taken for a pseudonym.")
def with_a_bracket() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            return text if text.startswith("[") else super().text(text)

    return Wrong


@wrong("Sets are looked into.")
def sets_too() -> object:
    class Wrong(Parts):
        def other(self, data: Any) -> Any:
            return {self(value) for value in data} if isinstance(data, set) else data

    return Wrong


@wrong("Objects become dictionaries.")
def objects_too() -> object:
    class Wrong(Parts):
        def other(self, data: Any) -> Any:
            return self(vars(data)) if hasattr(data, "__dict__") else data

    return Wrong


@wrong("Anything else is copied.")
def copied() -> object:
    class Wrong(Parts):
        def other(self, data: Any) -> Any:
            return copy.deepcopy(data)

    return Wrong


@wrong("A match is replaced wherever its text is.")
def wherever_it_is() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            for kind, pattern, ignored in self.rules:
                for found in list(pattern.finditer(text)):
                    text = text.replace(found[0], self.mark(kind, ignored, found))
            return text

    return Wrong


@wrong("Each rule works on the text as it was.")
def on_the_original() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            made = text
            for kind, pattern, ignored in self.rules:
                for found in pattern.finditer(text):
                    made = made.replace(found[0], self.mark(kind, ignored, found), 1)
            return made

    return Wrong


@wrong("All rules at once, from left to right.")
def at_once() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            made, end = "", 0
            while found := [
                (match.start(), place, match)
                for place, rule in enumerate(self.rules)
                if (match := rule[1].search(text, end))
            ]:
                start, place, match = min(found, key=lambda one: one[:2])
                kind, _, ignored = self.rules[place]
                made += text[end:start] + self.mark(kind, ignored, match)
                end = match.end()
            return made + text[end:]

    return Wrong


@wrong("One rule of each kind.")
def one_of_a_kind() -> object:
    return lambda key, rules: Parts(key, list({rule[0]: rule for rule in rules}.values()))


@wrong("Capitals do not count in any pattern.")
def any_capitals() -> object:
    def make_hook(key: bytes, rules: list[Rule]) -> Parts:
        return Parts(
            key,
            [
                (kind, re.compile(pattern.pattern, pattern.flags | re.IGNORECASE), ignored)
                for kind, pattern, ignored in rules
            ],
        )

    return make_hook


@wrong("Line by line.")
def line_by_line() -> object:
    class Wrong(Parts):
        def text(self, text: str) -> str:
            return "\n".join(map(super().text, text.split("\n")))

    return Wrong


@wrong("The pseudonym is a template, in which a backslash means something.")
def as_a_template() -> object:
    class Wrong(Parts):
        def mark(self, kind: str, ignored: str, match: re.Match[str]) -> str:
            return match.expand(super().mark(kind, ignored, match))

    return Wrong


@wrong("The kind in small letters.")
def small_kind() -> object:
    class Wrong(Parts):
        def mark(self, kind: str, ignored: str, match: re.Match[str]) -> str:
            return super().mark(kind.lower(), ignored, match)

    return Wrong


@wrong("What does not count is dropped first, and then come small letters.")
def dropped_first() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return "".join(letter for letter in found if letter not in ignored).casefold()

    return Wrong


@wrong("What does not count, in small letters too.")
def small_ignored() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return super().plain(found, ignored.casefold())

    return Wrong


@wrong("Any space, where one does not count.")
def any_space() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            plain = super().plain(found, ignored)
            return "".join(plain.split()) if " " in ignored else plain

    return Wrong


@wrong("Other forms of a letter are the letter.")
def normal_form() -> object:
    class Wrong(Parts):
        def plain(self, found: str, ignored: str) -> str:
            return unicodedata.normalize("NFKC", super().plain(found, ignored))

    return Wrong


@wrong("A hook puts its key where all hooks look for it.")
def key_of_the_last_call() -> object:
    class Wrong(Parts):
        now = b""

        def __call__(self, data: Any) -> Any:
            Wrong.now = self.key
            return self.walk(data)

        def walk(self, data: Any) -> Any:
            if isinstance(data, dict):
                return {self.walk(name): self.walk(value) for name, value in data.items()}
            if isinstance(data, (list, tuple)):
                return type(data)(map(self.walk, data))
            return self.text(data) if isinstance(data, str) else data

        def code(self, plain: str) -> str:
            return hmac.new(Wrong.now, plain.encode(), "sha256").hexdigest()[:12]

    return Wrong


@wrong("What was made of an object is kept, and the object may change.")
def kept_by_id() -> object:
    def make_hook(key: bytes, rules: list[Rule]) -> Hook:
        parts = Parts(key, rules)
        known: dict[int, Any] = {}

        def hook(data: Any) -> Any:
            return known.setdefault(id(data), (data, parts(data)))[1]

        return hook

    return make_hook


@right("An error of its own, which is a ValueError, and a stack in place of calls.")
def own_error() -> object:
    class ShortKeyError(ValueError):
        pass

    class Right(Parts):
        def __init__(self, key: bytes, rules: list[Rule]) -> None:
            if len(key) < 16:
                raise ShortKeyError
            super().__init__(key, rules)

        def __call__(self, data: Any) -> Any:
            done: list[Any] = []
            todo: list[tuple[Any, bool]] = [(data, False)]
            while todo:
                one, ready = todo.pop()
                size = len(one) if isinstance(one, (dict, list, tuple)) else 0
                if not isinstance(one, (dict, list, tuple)):
                    done.append(self.text(one) if isinstance(one, str) else one)
                elif not ready:
                    inner = [*one, *one.values()] if isinstance(one, dict) else one
                    todo += [(one, True), *((value, False) for value in reversed(inner))]
                elif isinstance(one, dict):
                    parts = done[len(done) - 2 * size :]
                    done[len(done) - 2 * size :] = [
                        dict(zip(parts[:size], parts[size:], strict=True))
                    ]
                else:
                    done[len(done) - size :] = [type(one)(done[len(done) - size :])]
            return done[0]

    return Right


@right("The key of a call is in a variable of its thread.")
def key_of_the_thread() -> object:
    class Right(Parts):
        now = threading.local()

        def __call__(self, data: Any) -> Any:
            self.now.key = self.key
            return super().__call__(data)

        def code(self, plain: str) -> str:
            return hmac.new(self.now.key, plain.encode(), "sha256").hexdigest()[:12]

    return Right


@right("In parts, as an object that can be called.")
def in_parts() -> object:
    return Parts


@right("A table drops what does not count, and digest() gives the digits.")
def by_translate() -> object:
    def make_hook(key: bytes, rules: list[Rule]) -> Hook:
        if len(key) <= 15:
            raise ValueError("the key is too short")
        parent = hmac.new(key, digestmod=hashlib.sha256)

        def replace(kind: str, ignored: str, match: re.Match[str]) -> str:
            own = parent.copy()
            plain = match.group().casefold().translate(str.maketrans("", "", ignored))
            own.update(plain.encode("utf-8"))
            return f"[{kind} {own.digest()[:6].hex()}]"

        def hook(data: Any) -> Any:
            match data:
                case str():
                    for kind, pattern, ignored in rules:
                        data = pattern.sub(functools.partial(replace, kind, ignored), data)
                    return data
                case dict():
                    return dict(zip(map(hook, data), map(hook, data.values()), strict=True))
                case list():
                    return list(map(hook, data))
                case tuple():
                    return tuple(map(hook, data))
            return data

        return hook

    return make_hook


@right("Pieces between matches are put together by hand, and codes are cached.")
def by_finditer() -> object:
    def make_hook(key: bytes, rules: list[Rule]) -> Hook:
        if len(key) < 16:
            raise ValueError("key")

        @functools.cache
        def code(plain: str) -> str:
            return hmac.digest(key, plain.encode(), "sha256").hex()[:12]

        def cleaned(text: str, kind: str, pattern: re.Pattern[str], ignored: str) -> str:
            made, end = [], 0
            for found in pattern.finditer(text):
                plain = found[0].casefold()
                for letter in ignored:
                    plain = plain.replace(letter, "")
                made += [text[end : found.start()], f"[{kind} {code(plain)}]"]
                end = found.end()
            return "".join([*made, text[end:]])

        def hook(data: Any) -> Any:
            if isinstance(data, str):
                for rule in rules:
                    data = cleaned(data, *rule)
            elif isinstance(data, dict):
                data = {hook(name): hook(value) for name, value in data.items()}
            elif isinstance(data, (list, tuple)):
                data = data.__class__([hook(value) for value in data])
            return data

        return hook

    return make_hook


@right("The rules are copied when the hook is made.")
def copied_rules() -> object:
    def make_hook(key: bytes, rules: list[Rule]) -> Hook:
        return Parts(bytes(key), list(rules)).__call__

    return make_hook
