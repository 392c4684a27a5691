from collections.abc import Sequence

from helpers.authoring.answers import wrong

Given = Sequence[float]


def cost(threshold: float, answerable: Given, unanswerable: Given, price: float) -> float:
    refused = sum(score < threshold for score in answerable)
    return refused + price * sum(score >= threshold for score in unanswerable)


@wrong("Never refuses.")
def never() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return 0.0

    return choose_threshold


@wrong("A score equal to the threshold is answered.")
def highest_unanswerable() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return max(unanswerable, default=0.0)

    return choose_threshold


@wrong("Never considers to refuse everything.")
def never_refuses_all() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        candidates = [*answerable, *unanswerable]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, price))

    return choose_threshold


@wrong("Refuses whatever could be unanswerable.")
def above_all_unanswerable() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        return max(unanswerable, default=0.0) + 1e-6

    return choose_threshold


@wrong("Counts mistakes of both kinds alike.")
def without_the_price() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        candidates = [*answerable, *unanswerable, float("inf")]
        return min(candidates, key=lambda t: cost(t, answerable, unanswerable, 1.0))

    return choose_threshold


@wrong("Half way between the two means.")
def between_the_means() -> object:
    def choose_threshold(answerable: Given, unanswerable: Given, price: float) -> float:
        groups = [group for group in (answerable, unanswerable) if group]
        return sum(sum(group) / len(group) for group in groups) / len(groups)

    return choose_threshold
