"""Answers to exercise 09.5, most of them a right one with a part that is another."""

import base64
import functools
import hashlib
import hmac
import re
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
