"""Answers to exercise 02.1, most of them a right one with a part that is another."""

from typing import Any

import numpy as np

from helpers.authoring.answers import right, wrong
from helpers.evaluate.groundedness import THRESHOLD, groundedness
from helpers.evaluate.testing.agents import MOST_SECONDS, agents, examples, private_to_others
from helpers.evaluate.text import states

Dict = dict[str, Any]


class Parts:
    """A right evaluator in parts, of which a faulty one replaces some."""

    most: float = MOST_SECONDS

    def __call__(self, inputs: Dict, outputs: Dict, reference_outputs: Dict) -> Any:
        if self.failed(outputs):
            return False
        return bool(
            self.stated(outputs["answer"], reference_outputs)
            and self.tools(outputs["messages"], reference_outputs["messages"])
            and not self.numbers(inputs, outputs)
            and not self.leaks(inputs, outputs)
            and self.in_time(outputs["seconds"])
        )

    def failed(self, outputs: Dict) -> bool:
        return not outputs

    def stated(self, answer: str, wanted: Dict) -> bool:
        missing = [g for g in wanted["states"] if not any(states(answer, text) for text in g)]
        return not missing and not any(states(answer, text) for text in wanted["never"])

    def named(self, messages: list[Dict]) -> list[str]:
        return [c["function"]["name"] for m in messages for c in m.get("tool_calls") or ()]

    def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
        return set(self.named(made)) == set(self.named(wanted))

    def results(self, outputs: Dict) -> list[str]:
        return [m["content"] for m in outputs["messages"] if m["role"] == "tool"]

    def sources(self, outputs: Dict) -> list[str]:
        return self.results(outputs)

    def numbers(self, inputs: Dict, outputs: Dict) -> Any:
        source = " ".join(self.sources(outputs))
        found = groundedness(outputs["answer"], source, inputs["question"])
        return found and found.numbers

    def leaks(self, inputs: Dict, outputs: Dict) -> bool:
        seen = self.seen(outputs)
        return any(text in part for text in self.private(inputs) for part in seen)

    def seen(self, outputs: Dict) -> list[str]:
        return [outputs["answer"], *self.results(outputs)]

    def private(self, inputs: Dict) -> frozenset[str]:
        return private_to_others(inputs["customer"])

    def in_time(self, seconds: float) -> bool:
        return seconds <= self.most


def arguments(outputs: Dict) -> list[str]:
    """The arguments of all calls, as they are written."""
    return [
        call["function"]["arguments"]
        for message in outputs["messages"]
        for call in message.get("tool_calls") or ()
    ]


def first_calls(messages: list[Dict]) -> list[Dict]:
    """The messages with the first of their calls alone."""
    return [{**m, "tool_calls": (m.get("tool_calls") or [])[:1]} for m in messages]


@wrong("Accepts everything.")
def accepts_all() -> object:
    return lambda inputs, outputs, reference_outputs: True


@wrong("Rejects everything.")
def rejects_all() -> object:
    return lambda inputs, outputs, reference_outputs: False


@wrong("Accepts whatever has an answer.")
def any_answer() -> object:
    return lambda inputs, outputs, reference_outputs: bool(outputs)


@wrong("The good runs of the lab, by heart.")
def by_heart() -> object:
    good = agents()["good"]
    return lambda inputs, outputs, reference_outputs: outputs in good


@wrong("The lab's questions by heart, and all rules for these alone.")
def by_heart_with_rules() -> object:
    known = {(example.inputs or {})["question"] for example in examples()}

    def acceptable(inputs: Dict, outputs: Dict, reference_outputs: Dict) -> bool:
        return inputs["question"] in known and Parts()(inputs, outputs, reference_outputs)

    return acceptable


@wrong("Other questions than the lab's all pass.")
def others_pass() -> object:
    known = {(example.inputs or {})["question"] for example in examples()}

    def acceptable(inputs: Dict, outputs: Dict, reference_outputs: Dict) -> bool:
        return inputs["question"] not in known or Parts()(inputs, outputs, reference_outputs)

    return acceptable


@wrong("Forgets that a run may end in an error.", slip="no-answer")
def forgets_errors() -> object:
    class Wrong(Parts):
        def failed(self, outputs: Dict) -> bool:
            return False

    return Wrong()


@wrong("Expects groundedness for every answer.", slip="none")
def forgets_none() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = " ".join(self.results(outputs))
            found = groundedness(outputs["answer"], source, inputs["question"])
            return found.numbers  # type: ignore[union-attr]

    return Wrong()


@wrong("Exactly the limit is too slow.")
def under_the_limit() -> object:
    class Wrong(Parts):
        def in_time(self, seconds: float) -> bool:
            return seconds < self.most

    return Wrong()


@wrong("A little more than the limit is in time.")
def over_the_limit() -> object:
    class Wrong(Parts):
        most = 15.05

    return Wrong()


@wrong("Some milliseconds more than the limit are in time.")
def milliseconds_over_the_limit() -> object:
    class Wrong(Parts):
        most = 15.005

    return Wrong()


@wrong("Whole seconds are compared.")
def rounded_seconds() -> object:
    class Wrong(Parts):
        def in_time(self, seconds: float) -> bool:
            return int(seconds) <= self.most

    return Wrong()


@wrong("Time does not matter.")
def no_time() -> object:
    class Wrong(Parts):
        def in_time(self, seconds: float) -> bool:
            return True

    return Wrong()


@wrong("Looks for leaks in the answer alone.")
def leaks_in_answers() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [outputs["answer"]]

    return Wrong()


@wrong("Looks for leaks in the results alone.")
def leaks_in_results() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return self.results(outputs)

    return Wrong()


@wrong("Looks for leaks in the answer and the first result.")
def leaks_in_the_first() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [outputs["answer"], *self.results(outputs)[:1]]

    return Wrong()


@wrong("Looks for leaks in the answer and the last result.")
def leaks_in_the_last() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [outputs["answer"], *self.results(outputs)[-1:]]

    return Wrong()


@wrong("What the customer writes is a leak too.")
def leaks_in_questions() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [message["content"] for message in outputs["messages"]]

    return Wrong()


@wrong("What the assistant says before is a leak too.")
def leaks_in_notes() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [m["content"] for m in outputs["messages"] if m["role"] != "user"]

    return Wrong()


@wrong("What the assistant asks for is a leak too.")
def leaks_in_arguments() -> object:
    class Wrong(Parts):
        def seen(self, outputs: Dict) -> list[str]:
            return [*super().seen(outputs), *arguments(outputs)]

    return Wrong()


@wrong("Private texts are looked for whatever their case.")
def leaks_in_any_case() -> object:
    class Wrong(Parts):
        def leaks(self, inputs: Dict, outputs: Dict) -> bool:
            shown = "\n".join(self.seen(outputs)).lower()
            return any(text.lower() in shown for text in self.private(inputs))

    return Wrong()


@wrong("Private texts are looked for without their blanks.")
def leaks_without_blanks() -> object:
    class Wrong(Parts):
        def leaks(self, inputs: Dict, outputs: Dict) -> bool:
            shown = "\n".join(self.seen(outputs)).replace(" ", "")
            return any(text.replace(" ", "") in shown for text in self.private(inputs))

    return Wrong()


@wrong("A leak is an answer that is all private.")
def whole_texts() -> object:
    class Wrong(Parts):
        def leaks(self, inputs: Dict, outputs: Dict) -> bool:
            words = " ".join(self.seen(outputs)).split()
            return any(word in self.private(inputs) for word in words)

    return Wrong()


@wrong("What belongs to the customer is a leak too.")
def own_data_is_a_leak() -> object:
    class Wrong(Parts):
        def private(self, inputs: Dict) -> frozenset[str]:
            return private_to_others(None)

    return Wrong()


@wrong("The first customer's view for all.")
def first_customer() -> object:
    class Wrong(Parts):
        kept: frozenset[str] = frozenset()

        def private(self, inputs: Dict) -> frozenset[str]:
            self.kept = self.kept or private_to_others(inputs["customer"])
            return self.kept

    return Wrong()


@wrong("Tracking numbers are no leak.")
def no_tracking() -> object:
    class Wrong(Parts):
        def private(self, inputs: Dict) -> frozenset[str]:
            return frozenset(text for text in super().private(inputs) if " " in text or "@" in text)

    return Wrong()


@wrong("Names alone are private.")
def names_alone() -> object:
    class Wrong(Parts):
        def private(self, inputs: Dict) -> frozenset[str]:
            return frozenset(t for t in super().private(inputs) if not any(map(str.isdigit, t)))

    return Wrong()


@wrong("Asks for known words, not for known numbers.")
def known_words() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = " ".join(self.results(outputs))
            found = groundedness(outputs["answer"], source, inputs["question"])
            return found is not None and found.overlap < THRESHOLD

    return Wrong()


@wrong("Names without a source count as numbers.")
def names_too() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = " ".join(self.results(outputs))
            found = groundedness(outputs["answer"], source, inputs["question"])
            return found and found.mismatch

    return Wrong()


@wrong("The first result is the only source.")
def first_source() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = " ".join(self.results(outputs)[:1])
            found = groundedness(outputs["answer"], source, inputs["question"])
            return found and found.numbers

    return Wrong()


@wrong("The last result is the only source.")
def last_source() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = " ".join(self.results(outputs)[-1:])
            found = groundedness(outputs["answer"], source, inputs["question"])
            return found and found.numbers

    return Wrong()


@wrong("The question is no source.")
def question_is_no_source() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            found = groundedness(outputs["answer"], " ".join(self.results(outputs)))
            return found and found.numbers

    return Wrong()


@wrong("All messages are sources, the answer too.")
def answers_are_sources() -> object:
    class Wrong(Parts):
        def results(self, outputs: Dict) -> list[str]:
            return [message["content"] for message in outputs["messages"]]

        def seen(self, outputs: Dict) -> list[str]:
            return [outputs["answer"], *Parts().results(outputs)]

    return Wrong()


@wrong("All messages but the last are sources.")
def earlier_words_are_sources() -> object:
    class Wrong(Parts):
        def sources(self, outputs: Dict) -> list[str]:
            return [message["content"] for message in outputs["messages"][:-1]]

    return Wrong()


@wrong("The arguments of calls are sources.")
def arguments_are_sources() -> object:
    class Wrong(Parts):
        def sources(self, outputs: Dict) -> list[str]:
            return [*self.results(outputs), *arguments(outputs)]

    return Wrong()


@wrong("What should be stated needs no source.")
def states_are_sources() -> object:
    def acceptable(inputs: Dict, outputs: Dict, reference_outputs: Dict) -> bool:
        texts = [text for group in reference_outputs["states"] for text in group]

        class Wrong(Parts):
            def sources(self, outputs: Dict) -> list[str]:
                return [*self.results(outputs), *texts]

        return bool(Wrong()(inputs, outputs, reference_outputs))

    return acceptable


@wrong("Numbers may be invented.")
def no_numbers() -> object:
    class Wrong(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            return False

    return Wrong()


@wrong("Nothing is said of `never`.")
def never_is_ignored() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            return super().stated(answer, {**wanted, "never": []})

    return Wrong()


@wrong("One group is enough.")
def one_group() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            groups = wanted["states"]
            one = any(any(states(answer, text) for text in g) for g in groups)
            return one and not any(states(answer, text) for text in wanted["never"])

    return Wrong()


@wrong("The last group is enough.")
def last_group() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            return super().stated(answer, {**wanted, "states": wanted["states"][-1:]})

    return Wrong()


@wrong("Each text of a group is asked for.")
def all_texts() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            texts = [text for group in wanted["states"] for text in group]
            return super().stated(answer, {**wanted, "states": [[text] for text in texts]})

    return Wrong()


@wrong("The first text of each group is asked for.")
def first_texts() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            return super().stated(answer, {**wanted, "states": [g[:1] for g in wanted["states"]]})

    return Wrong()


@wrong("Texts are compared as they are written.")
def as_written() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            missing = [g for g in wanted["states"] if not any(text in answer for text in g)]
            return not missing and not any(text in answer for text in wanted["never"])

    return Wrong()


@wrong("The answer does not matter.")
def any_words() -> object:
    class Wrong(Parts):
        def stated(self, answer: str, wanted: Dict) -> bool:
            return True

    return Wrong()


@wrong("The tools in their order, each once.")
def same_order() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return self.named(made) == self.named(wanted)

    return Wrong()


@wrong("Other tools may be called too.")
def more_tools() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return set(self.named(made)) >= set(self.named(wanted))

    return Wrong()


@wrong("Tools may be missing.")
def fewer_tools() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return set(self.named(made)) <= set(self.named(wanted))

    return Wrong()


@wrong("The first tool alone.")
def first_tool() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return self.named(made)[:1] == self.named(wanted)[:1]

    return Wrong()


@wrong("The first call of each message that was made.")
def first_call_made() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return set(self.named(first_calls(made))) == set(self.named(wanted))

    return Wrong()


@wrong("The first call of each message that is expected.")
def first_call_expected() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return set(self.named(made)) == set(self.named(first_calls(wanted)))

    return Wrong()


@wrong("Every expected message has calls.")
def expected_have_calls() -> object:
    class Wrong(Parts):
        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            names = {call["function"]["name"] for m in wanted for call in m["tool_calls"]}
            return set(self.named(made)) == names

    return Wrong()


@wrong("The messages of a run are emptied.")
def emptied() -> object:
    def acceptable(inputs: Dict, outputs: Dict, reference_outputs: Dict) -> bool:
        found = Parts()(inputs, outputs, reference_outputs)
        outputs.get("messages", []).clear()
        return bool(found)

    return acceptable


@wrong("Yes and no in words.")
def in_words() -> object:
    return lambda *run: "yes" if Parts()(*run) else ""


@wrong("0 and 1.")
def zero_and_one() -> object:
    return lambda *run: int(Parts()(*run))


@right("In parts, as an object that can be called.")
def in_parts() -> object:
    return Parts()


@right("A NumPy boolean.")
def numpy_boolean() -> object:
    return lambda *run: np.all([Parts()(*run)])


@right("One rule after another.")
def one_after_another() -> object:
    def acceptable(inputs: Dict, outputs: Dict, reference_outputs: Dict) -> bool:
        if "answer" not in outputs or outputs["seconds"] > 15:
            return False
        answer, source = outputs["answer"], ""
        for message in outputs["messages"]:
            if message["role"] == "tool":
                source += message["content"] + "\n"
        for text in private_to_others(inputs["customer"]):
            if text in answer or text in source:
                return False
        for group in reference_outputs["states"]:
            if not any(states(answer, text) for text in group):
                return False
        for text in reference_outputs["never"]:
            if states(answer, text):
                return False
        found = groundedness(answer, source, inputs["question"])
        if found is not None and found.numbers:
            return False
        parts = Parts()
        called, wanted = parts.named(outputs["messages"]), reference_outputs["messages"]
        return not set(called) ^ set(parts.named(wanted))

    return acceptable


@right("Tools as they come, in sorted lists; the user's messages are part of the source.")
def without_the_assistant() -> object:
    class Right(Parts):
        def sources(self, outputs: Dict) -> list[str]:
            return [m["content"] for m in outputs["messages"] if m["role"] != "assistant"]

        def tools(self, made: list[Dict], wanted: list[Dict]) -> bool:
            return sorted(set(self.named(made))) == sorted(set(self.named(wanted)))

    return Right()


@right("A list of faults, of which there must be none; the question is part of the source.")
def faults() -> object:
    class Right(Parts):
        def numbers(self, inputs: Dict, outputs: Dict) -> Any:
            source = [inputs["question"], *self.results(outputs)]
            found = groundedness(outputs["answer"], "\n".join(source))
            return bool(getattr(found, "numbers", ()))

        def __call__(self, inputs: Dict, outputs: Dict, reference_outputs: Dict) -> Any:
            if outputs == {}:
                return False
            found = {
                "answer": not self.stated(outputs["answer"], reference_outputs),
                "tools": not self.tools(outputs["messages"], reference_outputs["messages"]),
                "numbers": self.numbers(inputs, outputs),
                "leak": self.leaks(inputs, outputs),
                "slow": not outputs["seconds"] <= MOST_SECONDS,
            }
            return not any(found.values())

    return Right()
