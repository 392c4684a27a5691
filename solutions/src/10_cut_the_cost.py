# %% [markdown] name="title" only="lab"
# # Lab 10: Cut the cost
#
# **30 minutes. Before it:** the walkthrough [10 Cut the
# cost](../notebooks/10_cut_the_cost.ipynb).

# %% [markdown] name="title" only="solution"
# # Solution of lab 10: Cut the cost
#
# All exercises solved, and why. The lab itself:
# [labs/10_cut_the_cost.ipynb](../labs/10_cut_the_cost.ipynb).

# %% name="imports"
import os

from helpers.course import TODO, check, hint, ready, run_async, show  # noqa: F401

# %% name="parameters" tags=["parameters"]
model = os.environ.get("COURSE_MODEL", "local")  # no cell asks a model here
fast = os.environ.get("COURSE_FAST", "") not in ("", "0")  # smaller samples

# %% name="measured-list"
measured = []  # what the cells below find out, for the table at the end

# %% [markdown] name="guard-goal"
# ## 3. A guard for a semantic cache
#
# A semantic cache serves a stored answer to a question whose embedding is close to the stored
# question's. "Is the Alta 2 warm enough at -5 °C?" is very close to the same question about 5 °C,
# and its answer is wrong there. So a guard looks at the words of both before the cache serves.

# %% [markdown] name="guard-task"
# Write `may_serve(asked, stored)`, a plain function (not `async`). It returns `True` (a `bool`, or
# NumPy's) if the answer that is stored for one question may be served to the other, otherwise
# `False`. Both are texts.
#
# The check tries it on 62 **traps** and 40 **harmless pairs** that you do not see, in both orders.
# No trap may be served, and at least 24 of the harmless pairs must be. The answer is the same for
# both orders. It depends on the two texts alone. No text raises an error, be it in other letters
# than Latin.
#
# **Always served:** the same question with other capitals, with more spaces between words, with
# `?`, `.`, `!` or nothing at its end, or with one of `POLITE` in front, with or without a comma
# after it.
#
# **Never served:** a text of nothing but spaces and `.`, `,`, `:`, `;`, `?`, `!`, `-`, also if it
# equals the other one or is empty; and two texts that differ in anything but the harmless things
# below. These are the kinds of traps:
#
# | differs | for instance |
# |---|---|
# | a number, also one of `NUMBERS` | two or 3; 1.5 or 15; 5 or -5; 2 tents for 3 or 3 for 2 |
# | an order id | FH-10904 or FH-10940 |
# | a name | Ember or Ember Pro |
# | a negation | can or can't; lit or not lit; ever or never |
# | with or without | with a receipt or without it |
# | a condition | if it is worn, or unless it is worn |
# | a direction | before or after; from Leeds to York, or from York to Leeds |
# | a unit or sign | 20% or £20; 5 kg or 5 g |
# | any other word | tent or stove; weigh or cost |
#
# **Harmless,** and in at most two ways in one pair. The share that must be served leaves you free
# to do without some of them:
#
# - what is always served, also with POLITE at the end, and commas, colons or other punctuation
#   between words. `£`, `€`, `%` and `°` are not punctuation. A hyphen is, but directly before a
#   digit, and not after a letter or digit, it is a minus;
# - the words in `IGNORED`, anywhere; the words in `SAME`, each for its other one;
# - an `s` at the end of a word of more than three letters (tents, tent);
# - a number in another form: two, 2 and 2.0; 1,000 and 1000;
# - the order of words, if the texts contain none of `ORDERED` and fewer than two numbers.
#
# In a number, a comma separates thousands, and a dot the decimals. An apostrophe between two
# letters belongs to the word, and may be `'` or `’`.
#
# For instance, "Hello, price of two tents?" and "The cost of 2 tents, please" are harmless: they
# differ by POLITE, by IGNORED, and by SAME. (The check's pairs have two of these at most.)

# %% exercise="10.3"
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
    # LAB: return TODO
    # BEGIN SOLUTION
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
    # END SOLUTION

# %%
check("10.3", may_serve)

# %% [markdown] name="guard-why" only="solution"
# The guard does not look for danger. A list of dangers is never complete: today it is a negation,
# tomorrow a month. It looks for harmless differences, of which there are few, and refuses
# everything else. Both mistakes have a price, and they are far apart. A refused paraphrase costs
# one more answer by the model, a small part of a cent. A served trap is a wrong answer.
#
# Lists of stop words from a library are made for search, and there `not`, `no`, `without`,
# `before`, `from` and `to` are noise: scikit-learn's `ENGLISH_STOP_WORDS` contains all of them.
#
# A bag of words forgets who does what to whom, which is why ORDERED is there. It is not complete,
# either: "Does the mat cover the tent?" has the same words as "Does the tent cover the mat?" A
# guard that always compares the words in their order passes the check, too, and is safer.

# %% [markdown] name="guard-use-text"
# What is the guard worth, and what does it cost? These are other traps, and other wordings of what
# customers ask, written freely and not with your lists in mind. A pair is a candidate if the
# similarity of its embeddings is 0.75 or more.

# %% name="guard-use"
import numpy as np

from helpers.cost.traffic import pairs, traps
from helpers.models import embeddings


def similarity(one, other):
    """The cosine similarity of two texts' embeddings."""
    first, second = np.array(embeddings().embed_documents([one, other]))
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


if ready("10.3"):
    rows, groups = [], {"traps": [(each.asked, each.stored) for each in traps("dev")],
                        "two wordings of one question": pairs("dev")}
    for name, questions in groups.items():
        close = [each for each in questions if similarity(*each) >= 0.75]
        served = [each for each in close if may_serve(*each)]
        rows.append({"pairs": name, "all": len(questions), "served by similarity": len(close),
                     "served with your guard": len(served)})
    show.table(rows, caption="A semantic cache without and with your guard", digits=0)
    measured.append({"exercise": f"3: traps served, of {rows[0]['all']}",
                     "before": rows[0]["served by similarity"],
                     "after": rows[0]["served with your guard"]})

# %% [markdown] name="guard-means" only="solution"
# The guard serves no trap, and hardly any free paraphrase: it saves what customers ask in nearly
# the same words. Compare the rows: similarity alone serves traps more readily than paraphrases. To
# serve more, add to SAME what you have read in your own traffic, one pair of words at a time.

# %% [markdown] name="plan-goal"
# ## 4. Hand up by expected cost
#
# A cascade asks its cheapest tier first. Each tier gives an answer and a confidence. If the
# confidence is high enough, the answer is served. If not, the question goes to the next tier, and
# after the last one to a person. What is high enough, when a wrong answer costs more than a person,
# and a person more than a thousand tokens?

# %% [markdown] name="plan-task"
# Write `plan(tune, test, prices, wrong, person)`, a plain function (not `async`).
#
# - `tune` and `test` are lists of questions. A question is a list with one pair for each tier, in
#   the order in which tiers are asked: the tier's confidence (a `float` from 0 to 1) and whether
#   its answer is right (a `bool`).
# - `prices` is a list of what asking each tier costs, in the same order. `wrong` is what a wrong
#   answer costs that is served, and `person` what a person costs who gets a question. All are
#   `Decimal`, in dollars, 0 or more.
# - Each tier has a **threshold**. Its answer is served if its confidence is at least the threshold.
#   Otherwise the next tier is asked, and after the last one the question is handed over to a
#   person, who counts as neither right nor wrong.
# - Every tier that was asked is paid, whether its answer was served or not. A tier whose threshold
#   is `math.inf` is left out: it is not asked, and costs nothing.
# - The **cost** of a part is the sum over its questions: the prices of the tiers that were asked,
#   plus `wrong` for each wrong answer served, plus `person` for each question handed over.
#
# Choose all thresholds together, so that the cost of `tune` is the lowest. A tier's candidates are
# the confidences that this tier has in `tune`, and `math.inf`. Try every combination: there are at
# most three tiers, and in the check few different confidences. Costs are compared exactly. Among
# combinations of equal cost, choose the one with the lowest threshold of the first tier; among
# these the lowest of the second tier, and so on.
#
# Return a dict of exactly these six, all but the first worked out on `test`:
#
# - `"thresholds"`: the chosen ones, a list or tuple of numbers, one for each tier;
# - `"right"`, `"wrong"` and `"handed_over"`: how many questions ended so (whole numbers);
# - `"cost"`: the cost of `test`, exact;
# - `"per_right"`: the cost of `test`, divided by how many were right (a number; rounding is free up
#   to 1e-9 of it); `None` where none was right.
#
# A part without questions raises a `ValueError` whose message names that part and not the other. If
# both are empty, it names `tune`. The arguments stay as they are.
#
# For instance, with one tier, `tune = [[(0.9, True)], [(0.5, True)], [(0.4, False)]]`, `test =
# [[(0.8, True)], [(0.5, False)], [(0.3, True)]]`, `prices=[Decimal("0.1")]`, `wrong=Decimal(5)` and
# `person=Decimal(2)`: on `tune`, the threshold 0.4 costs `3 * 0.1 + 5 = 5.3`, 0.5 costs `3 * 0.1 +
# 2 = 2.3`, 0.9 costs 4.3, and `math.inf` costs 6. With 0.5, one answer of `test` is right, one
# wrong, and one question is handed over. That costs `3 * 0.1 + 5 + 2 = 7.3`, so the result is
# `{"thresholds": [0.5], "right": 1, "wrong": 1, "handed_over": 1, "cost": Decimal("7.3"),
# "per_right": Decimal("7.3")}`.

# %% exercise="10.4"
import math
from decimal import Decimal
from itertools import product

Question = list[tuple[float, bool]]


def plan(tune: list[Question], test: list[Question], prices: list[Decimal], wrong: Decimal,
         person: Decimal) -> dict:
    """The cheapest thresholds of a cascade on one part, and what they are worth on the other."""
    # LAB: return TODO
    # BEGIN SOLUTION
    for name, part in {"tune": tune, "test": test}.items():
        if not part:
            raise ValueError(f"{name} has no questions")

    def run(part, thresholds):
        counts, cost = {"right": 0, "wrong": 0, "handed_over": 0}, Decimal(0)
        for question in part:
            ended = "handed_over"
            for (confidence, right), price, threshold in zip(question, prices, thresholds,
                                                        strict=True):
                if math.isinf(threshold):
                    continue
                cost += price
                if confidence >= threshold:
                    ended = "right" if right else "wrong"
                    break
            counts[ended] += 1
        cost += counts["wrong"] * wrong + counts["handed_over"] * person
        return counts | {"cost": cost}

    candidates = []
    for tier in range(len(prices)):
        candidates.append({question[tier][0] for question in tune} | {math.inf})
    chosen = min(product(*candidates), key=lambda each: (run(tune, each)["cost"], each))

    found = run(test, chosen)
    per_right = found["cost"] / found["right"] if found["right"] else None
    return {"thresholds": chosen} | found | {"per_right": per_right}
    # END SOLUTION

# %%
check("10.4", plan)

# %% [markdown] name="plan-why" only="solution"
# A threshold follows from costs, not from a feeling for confidence. With $5 for a wrong answer and
# $2 for a person, an answer of the last tier should be served where more than three of five are
# right: then it costs less than `0.4 * 5 = 2`. An earlier tier must do better than what comes after
# it, which may be right, too. So the thresholds depend on each other, and are chosen together.
#
# `math.inf` is a candidate for each tier. A tier that never serves is paid for nothing, and a
# cascade is not better because it has more tiers. The tokens hardly matter here, since a wrong
# answer costs as much as a hundred thousand answers of a small model. They matter for a tier that
# sees everything, serves little, and calls a large model.
#
# The result on `tune` is too good, because the thresholds were chosen to make it so. Report that
# on `test`.

# %% [markdown] name="plan-use-text"
# Try it on two tiers that need no model: the sentence of the shop's documents that shares most
# words with the question (TF-IDF), and the one that the agent's own search finds, by embeddings.
# Thresholds are chosen on the course's development questions, and judged on other questions of
# other wordings.

# %% name="plan-tiers"
from sklearn.feature_extraction.text import TfidfVectorizer

from helpers.agent.retrieval import fernhill_index, split_sentences
from helpers.cost.traffic import intents
from helpers.evaluate.scores import score_answer
from helpers.shop import documents, questions

sentences = [f"{each.title}: {text}" for each in documents() for text in split_sentences(each.text)]
by_words = TfidfVectorizer(stop_words=None, sublinear_tf=True).fit(sentences)
rows_of_words, index = by_words.transform(sentences), fernhill_index()


def tiers(question):
    """For each tier: its confidence, to two decimals, and whether its sentence is right."""
    alike = (rows_of_words @ by_words.transform([question.question]).T).toarray().ravel()
    found = index.search(question.question, k=1)[0]
    answers = [(alike.max(), sentences[alike.argmax()]),
               (found.score, f"{found.title}: {found.best}")]
    return [(min(round(float(sure), 2), 1.0), score_answer(question, text).right)
            for sure, text in answers]

# %% name="plan-use"
kinds = ("single_fact", "conditional", "unanswerable")
tune = [tiers(each) for part in ("dev", "lab") for each in questions(part) if each.kind in kinds]
test = [tiers(each.asked(wording)) for each in intents("dev") if each.kind in kinds
        for wording in each.wordings]
prices = [Decimal("0.00000001"), Decimal("0.00000006")]  # 1 ms and 5.4 ms of CPU at $0.04 an hour

if ready("10.4"):
    rows = []
    for name, chosen in {"a person": [], "words": [0], "embeddings": [1], "both": [0, 1]}.items():
        on_tune, on_test = ([[each[tier] for tier in chosen] for each in part]
                            for part in (tune, test))
        found = plan(on_tune, on_test, [prices[tier] for tier in chosen], Decimal(5), Decimal(2))
        limits = ", ".join(f"{limit:.2f}" for limit in found["thresholds"])
        rows.append({"tiers": name, "thresholds": limits, "right": found["right"],
                     "wrong": found["wrong"], "handed over": found["handed_over"],
                     "$ a question": float(found["cost"]) / len(test),
                     "$ a right answer": found["per_right"] and float(found["per_right"])})
    show.table(rows, caption=f"{len(test)} questions that no threshold was chosen on", digits=2)
    measured.append({"exercise": "4: dollars a question, people and mistakes included",
                     "before": rows[0]["$ a question"], "after": rows[-1]["$ a question"]})

# %% [markdown] name="plan-means" only="solution"
# Compare the last two rows. Where the first tier's threshold is `inf`, or so high that it serves
# next to nothing, the second tier does the same without it: the cheaper tier does not earn its
# place. Neither tier can hand over fewer people than there are questions without an answer in the
# documents, unless it serves wrong answers.

# %% [markdown] name="measured-text"
# ## What you measured

# %% name="measured"
if measured:
    show.table(measured, caption="What your work changed", digits=2)
