from helpers.authoring.answers import wrong

Scores = dict[str, float]


def best_first(scores: Scores) -> list[str]:
    return sorted(scores, key=lambda name: scores[name], reverse=True)


def scaled(scores: Scores) -> Scores:
    low, high = min(scores.values()), max(scores.values())
    return {name: (score - low) / (high - low) for name, score in scores.items()}


@wrong("The order in which the documents came.")
def as_they_came() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return list(meaning)

    return fuse


@wrong("Ranks by meaning alone.")
def meaning_alone() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return best_first(meaning)

    return fuse


@wrong("Adds scores of different scales.")
def plain_sum() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        return best_first({name: words.get(name, 0.0) + meaning[name] for name in meaning})

    return fuse


@wrong("Nothing to divide by when all scores are equal.")
def no_distance() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        lexical = scaled({name: words.get(name, 0.0) for name in meaning})
        semantic = scaled(meaning)
        return best_first({name: 0.3 * lexical[name] + 0.7 * semantic[name] for name in meaning})

    return fuse


@wrong("The worst comes first.")
def worst_first() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        top = max(words.values(), default=1.0)
        return sorted(meaning, key=lambda name: words.get(name, 0.0) / top + meaning[name])

    return fuse


@wrong("Only the documents that both searches name.")
def only_the_common() -> object:
    def fuse(words: Scores, meaning: Scores) -> list[str]:
        top = max(words.values(), default=1.0)
        return best_first({name: words[name] / top + meaning[name] for name in words})

    return fuse
