"""Answers to exercise 02.2, most of them a right one with a part that is another."""

import json
from collections import Counter
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong
from helpers.course.exercises.m02.e2_right_way import NEW_TOOLS

Dict = dict[str, Any]
Call = tuple[str, Dict]


class Parts:
    """A right evaluator in parts, of which a faulty one replaces some."""

    readings: tuple[str, ...] = ("search_documents", "lookup_order")

    def __call__(self, outputs: Dict, reference_outputs: Dict) -> Any:
        return self.judge(
            self.calls(outputs["messages"]), self.calls(reference_outputs["messages"])
        )

    def calls(self, messages: list[Dict]) -> list[Call]:
        found = [call["function"] for message in messages for call in self.of(message)]
        return [(one["name"], json.loads(one["arguments"])) for one in found]

    def of(self, message: Dict) -> list[Dict]:
        return message.get("tool_calls") or []

    def judge(self, calls: list[Call], expected: list[Call]) -> bool:
        place = 0
        for call in calls:
            if place < len(expected) and self.serves(call, expected[place]):
                place += 1
            elif self.acts(call[0]):
                return False
        return place == len(expected)

    def acts(self, name: str) -> bool:
        return name not in self.readings

    def serves(self, call: Call, wanted: Call) -> bool:
        return call[0] == wanted[0] and self.values(call[1], wanted[1])

    def values(self, args: Dict, wanted: Dict) -> bool:
        return all(key in args and self.same(args[key], value) for key, value in wanted.items())

    def same(self, value: Any, wanted: Any) -> bool:
        return self.text(value, wanted) if isinstance(wanted, str) else self.number(value, wanted)

    def text(self, value: Any, wanted: str) -> bool:
        return isinstance(value, str) and value.strip().casefold() == wanted.strip().casefold()

    def number(self, value: Any, wanted: float) -> bool:
        try:
            return float(value) == float(wanted)
        except (TypeError, ValueError):
            return False


@wrong("Every way is right.", slip="lax")
def every_way() -> object:
    return lambda outputs, reference_outputs: True


@wrong("No way is right.", slip="strict")
def no_way() -> object:
    return lambda outputs, reference_outputs: False


@wrong("Right is wrong.", slip="reversed")
def upside_down() -> object:
    return lambda *run: not Parts()(*run)


@wrong("agentevals' strict mode.")
def agentevals_strict() -> object:
    return _of_agentevals("strict", "exact")


@wrong("agentevals' superset mode: anything may be done as well.")
def agentevals_superset() -> object:
    return _of_agentevals("superset", "superset")


@wrong("agentevals' unordered mode.")
def agentevals_unordered() -> object:
    return _of_agentevals("unordered", "ignore")


def _matching() -> Any:
    """agentevals' module, which has no types and takes seconds to import."""
    return import_module("agentevals.trajectory.match")


def _of_agentevals(mode: Any, arguments: Any) -> object:
    made = _matching().create_trajectory_match_evaluator(
        trajectory_match_mode=mode, tool_args_match_mode=arguments
    )

    def right_way(outputs: Dict, reference_outputs: Dict) -> bool:
        found: Any = made(outputs=outputs, reference_outputs=reference_outputs)
        return bool(found["score"])

    return right_way


@wrong("Exactly the expected calls.")
def exactly() -> object:
    class Wrong(Parts):
        readings = ()

    return Wrong()


@wrong("The expected calls in any order.")
def any_order() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            left = list(expected)
            for call in calls:
                served = next((want for want in left if self.serves(call, want)), None)
                if served is not None:
                    left.remove(served)
                elif self.acts(call[0]):
                    return False
            return not left

    return Wrong()


@wrong("The same tools.")
def same_tools() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            return {name for name, _ in calls} == {name for name, _ in expected}

    return Wrong()


@wrong("An expected action may be made again.")
def may_pay_twice() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            place = 0
            for call in calls:
                if place < len(expected) and self.serves(call, expected[place]):
                    place += 1
                elif self.acts(call[0]) and not any(self.serves(call, want) for want in expected):
                    return False
            return place == len(expected)

    return Wrong()


@wrong("Allows all calls beside the expected ones.")
def anything_beside() -> object:
    class Wrong(Parts):
        def acts(self, name: str) -> bool:
            return False

    return Wrong()


@wrong("After the last expected call, anything may happen.")
def stops_early() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            place = 0
            for call in calls:
                if place == len(expected):
                    break
                if self.serves(call, expected[place]):
                    place += 1
                elif self.acts(call[0]):
                    return False
            return place == len(expected)

    return Wrong()


@wrong("Before the first expected call, anything may happen.")
def starts_late() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            first = next(
                (n for n, call in enumerate(calls) if expected and self.serves(call, expected[0])),
                0,
            )
            return super().judge(calls[first:], expected)

    return Wrong()


@wrong("One call may serve all expected ones that it fits.")
def serves_several() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            place = 0
            for call in calls:
                start = place
                while place < len(expected) and self.serves(call, expected[place]):
                    place += 1
                if place == start and self.acts(call[0]):
                    return False
            return place == len(expected)

    return Wrong()


@wrong("Nothing expected is always right.")
def empty_is_right() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            return not expected or super().judge(calls, expected)

    return Wrong()


@wrong("Nothing expected asks for no call.")
def empty_is_nothing() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            return super().judge(calls, expected) if expected else not calls

    return Wrong()


@wrong("Expected calls may be missing at the end.")
def may_be_missing() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            return any(
                super(Wrong, self).judge(calls, expected[:n]) for n in range(len(expected) + 1)
            )

    return Wrong()


@wrong("Only refunds and hand-overs act.")
def known_actions() -> object:
    class Wrong(Parts):
        def acts(self, name: str) -> bool:
            return name in ("issue_refund", "hand_over")

    return Wrong()


@wrong("Only refunds act.")
def only_refunds() -> object:
    class Wrong(Parts):
        def acts(self, name: str) -> bool:
            return name not in (*self.readings, "hand_over")

    return Wrong()


@wrong("Only searches read.")
def only_searches() -> object:
    class Wrong(Parts):
        readings = ("search_documents",)

    return Wrong()


@wrong("Names are compared whatever their case.")
def names_in_any_case() -> object:
    class Wrong(Parts):
        def calls(self, messages: list[Dict]) -> list[Call]:
            return [(name.lower(), args) for name, args in super().calls(messages)]

    return Wrong()


@wrong("Arguments do not matter.")
def any_arguments() -> object:
    class Wrong(Parts):
        def values(self, args: Dict, wanted: Dict) -> bool:
            return True

    return Wrong()


@wrong("Arguments that are missing fit.")
def missing_fits() -> object:
    class Wrong(Parts):
        def values(self, args: Dict, wanted: Dict) -> bool:
            return all(self.same(args[key], wanted[key]) for key in wanted if key in args)

    return Wrong()


@wrong("No arguments beside the expected ones.")
def no_more_arguments() -> object:
    class Wrong(Parts):
        def values(self, args: Dict, wanted: Dict) -> bool:
            return args.keys() == wanted.keys() and super().values(args, wanted)

    return Wrong()


@wrong("One argument that fits is enough.")
def one_argument() -> object:
    class Wrong(Parts):
        def values(self, args: Dict, wanted: Dict) -> bool:
            return not wanted or any(
                key in args and self.same(args[key], value) for key, value in wanted.items()
            )

    return Wrong()


@wrong("Compares values as they are written.")
def as_written() -> object:
    class Wrong(Parts):
        def same(self, value: Any, wanted: Any) -> bool:
            return bool(value == wanted)

    return Wrong()


@wrong("Texts whatever their case, but with their blanks.")
def with_blanks() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return str(value).casefold() == wanted.casefold()

    return Wrong()


@wrong("Texts without their blanks, but with their case.")
def with_case() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return str(value).strip() == wanted

    return Wrong()


@wrong("The expected text is somewhere in the value.")
def contained() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return wanted.casefold() in str(value).casefold()

    return Wrong()


@wrong("Hyphens do not count.")
def without_hyphens() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return super().text(str(value).replace("-", ""), wanted.replace("-", ""))

    return Wrong()


@wrong("Numbers as texts do not fit.")
def numbers_alone() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            return isinstance(value, (int, float)) and value == wanted

    return Wrong()


@wrong("Numbers are compared as texts.")
def numbers_as_texts() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            return str(value).strip() == str(wanted)

    return Wrong()


@wrong("Whole pounds are compared.")
def whole_pounds() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return int(float(value)) == int(wanted)
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("A word where a number is expected ends in an error.")
def words_raise() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            return float(value) == wanted

    return Wrong()


@wrong("A word where a number is expected fits.")
def words_fit() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return float(value) == wanted
            except (TypeError, ValueError):
                return True

    return Wrong()


@wrong("A penny more or less is the same.")
def a_penny() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return abs(float(value) - wanted) < 0.0101
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("A tenth of a penny more is the same.")
def a_tenth_of_a_penny() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return abs(float(value) - wanted) < 0.0011
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("Numbers are rounded to pounds.")
def rounded_pounds() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return round(float(value)) == round(wanted)
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("The sign does not matter.")
def without_sign() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return abs(float(value)) == abs(wanted)
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("A pound sign is taken off.")
def with_pound_sign() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return float(str(value).strip("£ \n")) == wanted
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("Commas are taken off.")
def with_commas() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return float(str(value).replace(",", "")) == wanted
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("What is no number fits: it is neither less nor more.")
def nan_fits() -> object:
    class Wrong(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return not (float(value) < wanted or float(value) > wanted)
            except (TypeError, ValueError):
                return False

    return Wrong()


@wrong("An expected 0 is not looked at.")
def zero_is_skipped() -> object:
    class Wrong(Parts):
        def same(self, value: Any, wanted: Any) -> bool:
            return not wanted or super().same(value, wanted)

    return Wrong()


@wrong("A value of 0 counts as missing.")
def zero_is_missing() -> object:
    class Wrong(Parts):
        def values(self, args: Dict, wanted: Dict) -> bool:
            return all(args.get(key) and self.same(args[key], wanted[key]) for key in wanted)

    return Wrong()


@wrong("Blanks are taken off the value alone.")
def blanks_of_the_value() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return str(value).strip().lower() == wanted.lower()

    return Wrong()


@wrong("Blanks are taken off what is expected alone.")
def blanks_of_the_expected() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return str(value).lower() == wanted.strip().lower()

    return Wrong()


@wrong("Blanks inside do not count.")
def without_inner_blanks() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return super().text("".join(str(value).split()), "".join(wanted.split()))

    return Wrong()


@wrong("Several blanks inside are one.")
def one_inner_blank() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return super().text(" ".join(str(value).split()), " ".join(wanted.split()))

    return Wrong()


@wrong("The expected text begins the value.")
def begins() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return str(value).strip().lower().startswith(wanted.strip().lower())

    return Wrong()


@wrong("The expected text is in the value, without its blanks.")
def contained_bare() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return wanted.strip().lower() in str(value).lower()

    return Wrong()


@wrong("A number is as good as its text.")
def numbers_are_texts() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return super().text(str(value), wanted)

    return Wrong()


@wrong("Texts that float reads are compared as numbers.")
def texts_as_numbers() -> object:
    class Wrong(Parts):
        def text(self, value: Any, wanted: str) -> bool:
            return (
                self.number(value, float(wanted))
                if wanted.isdigit()
                else super().text(value, wanted)
            )

    return Wrong()


@wrong("Tools read by how their names begin.")
def reads_by_beginning() -> object:
    class Wrong(Parts):
        def acts(self, name: str) -> bool:
            return not name.startswith(("search", "lookup"))

    return Wrong()


@wrong("Tools read by how their names begin, with the whole name.")
def reads_by_name_and_more() -> object:
    class Wrong(Parts):
        def acts(self, name: str) -> bool:
            return not name.startswith(self.readings)

    return Wrong()


@wrong("The first ten calls alone.")
def first_ten() -> object:
    class Wrong(Parts):
        def calls(self, messages: list[Dict]) -> list[Call]:
            return super().calls(messages)[:10]

    return Wrong()


@wrong("At most three calls more than expected.")
def three_detours() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            return len(calls) <= len(expected) + 3 and super().judge(calls, expected)

    return Wrong()


@wrong("Messages that say something have no calls.")
def silent_messages() -> object:
    class Wrong(Parts):
        def of(self, message: Dict) -> list[Dict]:
            return [] if message["content"] else super().of(message)

    return Wrong()


@wrong("Keeps its verdicts by the dictionaries' identity.")
def kept_by_identity() -> object:
    kept: dict[tuple[int, int], Any] = {}

    def right_way(outputs: Dict, reference_outputs: Dict) -> Any:
        key = id(outputs), id(reference_outputs)
        if key not in kept:
            kept[key] = Parts()(outputs, reference_outputs)
        return kept[key]

    return right_way


@wrong("Only the first call of a message is read.")
def first_of_message() -> object:
    class Wrong(Parts):
        def of(self, message: Dict) -> list[Dict]:
            return super().of(message)[:1]

    return Wrong()


@wrong("Every message has the key tool_calls.")
def key_expected() -> object:
    class Wrong(Parts):
        def of(self, message: Dict) -> list[Dict]:
            found: list[Dict] = message["tool_calls"]
            return found

    return Wrong()


@wrong("tool_calls is never None.")
def never_none() -> object:
    class Wrong(Parts):
        def of(self, message: Dict) -> list[Dict]:
            found: list[Dict] = message.get("tool_calls", [])
            return found

    return Wrong()


@wrong("What is expected is used up.")
def uses_up() -> object:
    def right_way(outputs: Dict, reference_outputs: Dict) -> bool:
        found = Parts()(outputs, reference_outputs)
        reference_outputs["messages"].clear()
        return bool(found)

    return right_way


@wrong("What is expected is kept from the first call on.")
def keeps_the_first() -> object:
    kept: list[Dict] = []

    def right_way(outputs: Dict, reference_outputs: Dict) -> bool:
        kept.append(reference_outputs)
        return bool(Parts()(outputs, kept[0]))

    return right_way


@wrong("Counts calls, whatever their order.")
def counts() -> object:
    class Wrong(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            made = Counter(name for name, _ in calls if self.acts(name))
            return made == Counter(name for name, _ in expected if self.acts(name)) and all(
                any(self.serves(call, want) for call in calls) for want in expected
            )

    return Wrong()


@right("In parts, as an object that can be called.")
def in_parts() -> object:
    return Parts()


@right("A NumPy boolean.")
def numpy_boolean() -> object:
    return lambda *run: np.bool_(Parts()(*run))


@right("Decimal numbers, and an iterator of what is expected.")
def with_decimals() -> object:
    class Right(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            try:
                return Decimal(str(value).strip()) == Decimal(str(wanted))
            except InvalidOperation:
                return False

        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            left = iter(expected)
            want = next(left, None)
            for call in calls:
                if want is not None and self.serves(call, want):
                    want = next(left, None)
                elif self.acts(call[0]):
                    return False
            return want is None

    return Right()


@right("Actions and readings apart: actions one by one, readings between them.")
def actions_apart() -> object:
    class Right(Parts):
        def judge(self, calls: list[Call], expected: list[Call]) -> bool:
            if not calls:
                return not expected
            first, *rest = calls
            if expected and self.serves(first, expected[0]):
                return self.judge(rest, expected[1:])
            return not self.acts(first[0]) and self.judge(rest, expected)

    return Right()


@right("Numbers by their distance, True and False left out; texts in capitals.")
def by_distance() -> object:
    class Right(Parts):
        def number(self, value: Any, wanted: float) -> bool:
            if type(value) not in (int, float, str):
                return False
            try:
                return abs(float(value) - wanted) <= 0.0
            except ValueError:
                return False

        def text(self, value: Any, wanted: str) -> bool:
            return isinstance(value, str) and value.strip().upper() == wanted.strip().upper()

    return Right()


@right("agentevals compares single calls.")
def by_agentevals() -> object:
    parts = Parts()

    def matcher(made: Dict, wanted: Dict) -> bool:
        return parts.values(made, wanted)

    @cache
    def evaluator() -> Any:
        names = (*parts.readings, "issue_refund", "hand_over", *NEW_TOOLS)
        return _matching().create_trajectory_match_evaluator(
            trajectory_match_mode="superset",
            tool_args_match_overrides=dict.fromkeys(names, matcher),
        )

    def serves(call: Dict, wanted: Dict) -> bool:
        sides = [
            {"role": "assistant", "content": "", "tool_calls": [one]} for one in (call, wanted)
        ]
        return bool(evaluator()(outputs=sides[:1], reference_outputs=sides[1:])["score"])

    def right_way(outputs: Dict, reference_outputs: Dict) -> bool:
        waiting = [c for m in reference_outputs["messages"] for c in m.get("tool_calls") or ()]
        for message in outputs["messages"]:
            for call in message.get("tool_calls") or ():
                if waiting and serves(call, waiting[0]):
                    del waiting[0]
                elif call["function"]["name"] not in parts.readings:
                    return False
        return waiting == []

    return right_way


EQUIVALENT = {
    "line 18, None returned: return False": "all() takes None for false, and nothing else sees it"
}
