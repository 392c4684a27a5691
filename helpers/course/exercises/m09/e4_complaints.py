"""Exercise 09.4: a dataset of corrected complaints."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, Hint, Slip, exercise

if TYPE_CHECKING:
    from helpers.course.exercises.m09.complained import Asked, Curate


@exercise(
    "09.4",
    title="Turn corrected complaints into a dataset",
    hints=[
        "filter='and(eq(feedback_key, \"helpful\"), eq(feedback_score, 0))' gives the runs with a"
        ' complaint; client.list_feedback(run_ids=[...], feedback_key=["helpful"]) gives what was'
        " said of them.",
        Hint(
            "list_runs(..., is_root=True) leaves out the runs below a request. correction is None,"
            " or a dictionary, perhaps without an answer: that gives no example.",
            "complaints",
        ),
        Hint(
            "Sort the feedback by created_at, and let a dictionary from run id to feedback keep the"
            " last one. That one has to be the complaint.",
            "latest",
        ),
        Hint(
            "' '.join(question.split()).casefold() is the same for two questions that are the same."
            " Sort the corrected complaints from newest to oldest, and keep the first of each"
            " question.",
            "same",
        ),
        Hint(
            "client.has_dataset(dataset_name=name) says whether to create the dataset.",
            "dataset",
            "complaints",
        ),
        Hint(
            "Read what is there with client.list_examples(dataset_name=name): leave out its"
            " questions, and add at most 10 minus its number.",
            "dataset",
            "ten",
        ),
        'An example is {"inputs": {"question": ...}, "outputs": {"answer": ...}, "source_run_id":'
        " run.id}. create_examples with an empty list raises an error.",
    ],
)
def curate(answer: "Curate") -> Iterator[Case]:
    """A dataset of the newest corrected complaints, one for each question, at most ten."""
    from helpers.course.exercises.m09 import complained
    from helpers.course.exercises.m09.complained import Asked, Plan, RandomDay, right, wanted
    from helpers.tracing.testing import lab_client

    lab_client()  # its service starts outside the cases' time

    def case(
        name: str,
        about: str,
        show: str,
        steps: "Sequence[Sequence[Asked]]",
        expect: Sequence[str],
        *slips: Slip,
        there: Sequence[dict[str, Any]] | None = None,
    ) -> Case:
        return Case(
            name,
            call=lambda: complained.curated(answer, Plan(steps, there)),
            show=f"{show}: the examples that were added, and those of before that have changed",
            expect=wanted(*expect),
            slips=[
                *slips,
                Slip.when(
                    "no-dataset",
                    lambda got: got["examples"] == "no dataset",
                    "There is no dataset of this name: create it, also for no example.",
                ),
                Slip.when(
                    "no-source",
                    lambda got: any(text.startswith("no request") for text in got["examples"]),
                    "source_run_id says which run of the project an example was made of.",
                ),
            ],
            limit=30,
            about=about,
            live=False,
        )

    weigh, keep, heavy = "How much does it weigh?", "How long may I keep it?", "Is it heavy?"
    yield case(
        "the example",
        "complaints",
        "one corrected complaint, praise, a complaint without a correction",
        [[right(keep, " 28  days.\n"), Asked(weigh, ["praised"]), Asked(heavy, ["bad"])]],
        [f"1: {keep} ->  28  days.\n"],
        Slip.when(
            "agents-words",
            lambda got: any("That depends." in text for text in got["examples"]),
            "That is what the agent said, which was wrong: take the correction.",
        ),
        Slip.when("empty", lambda got: got["examples"] == [], "The dataset is empty."),
    )
    yield case(
        "what is no corrected complaint",
        "complaints",
        "praise with a correction, no score, other keys, a run below the request, a correction"
        " without an answer, nothing said; and three corrected complaints, one of a failed request",
        [
            [
                Asked("Praised?", ["kind: Kindly."]),
                Asked("Unsure?", ["unsure"]),
                right(weigh, "2 kg."),
                Asked("Tone?", ["tone: Kindly."]),
                Asked("Below?", ["below, right: Deep."]),
                Asked("Vague?", ["vague"]),
                Asked("Nothing?"),
                Asked("Signed?", ["tone: No.", "signed: By Una.", "below, praised"]),
                Asked("Other keys?", ["Helpful: No.", "helpfulness: No."]),
                right("Broken?", "Back again.", error="TimeoutError: no answer in 12 s"),
            ]
        ],
        [f"3: {weigh} -> 2 kg.", "8: Signed? -> By Una.", "10: Broken? -> Back again."],
        Slip.when(
            "praised",
            lambda got: any("Praised?" in text for text in got["examples"]),
            "A praised answer is no complaint, even if someone has corrected it.",
        ),
        Slip.when(
            "other-key",
            lambda got: any("Tone?" in text for text in got["examples"]),
            'Only feedback with the key "helpful" counts.',
        ),
        Slip.when(
            "below",
            lambda got: any("-> Deep." in text for text in got["examples"]),
            "That feedback is on a run below a request, not on the request itself.",
        ),
        Slip.when(
            "whole-correction",
            lambda got: any("'by': 'Una'" in text for text in got["examples"]),
            "The outputs are the answer alone, without what else the correction holds.",
        ),
    )
    yield case(
        "several feedbacks on a run",
        "latest",
        "requests with two or three feedbacks, of which the last one counts",
        [
            [
                Asked("Bad, then good?", ["right: A", "praised"]),
                Asked("Good, then bad?", ["praised", "right: B"]),
                Asked("Twice?", ["right: old", "right: new"]),
                Asked("Back?", ["right: C", "bad"]),
                Asked("At last?", ["bad", "right: D", "tone: E", "Helpful: F", "helpfulness: G"]),
                Asked("Thrice?", ["right: 1", "praised", "right: 3"]),
                Asked("Vague?", ["right: 1", "vague"]),
                Asked("Unsure?", ["right: 1", "unsure"]),
                Asked("Edited?", ["edited: old", "right: new"]),
                Asked("Good since?", ["edited: E", "praised"]),
            ]
        ],
        [
            "2: Good, then bad? -> B",
            "3: Twice? -> new",
            "5: At last? -> D",
            "6: Thrice? -> 3",
            "9: Edited? -> new",
        ],
        Slip.when(
            "first-feedback",
            lambda got: any("-> old" in text for text in got["examples"]),
            "Of several feedbacks on a run, the newest counts (created_at).",
        ),
        Slip.when(
            "any-complaint",
            lambda got: any("then good?" in text for text in got["examples"]),
            "The customer has changed the mark since: the newest feedback is praise.",
        ),
    )
    yield case(
        "the same question",
        "same",
        "questions that differ in capitals, spaces and line breaks, and some that differ otherwise",
        [
            [
                right("Is the  tent dry?", "1", at=60),
                right(" is the tent dry? ", "2", at=90),
                right("IS THE TENT\nDRY?", "3", at=30),
                right("Is the tent dry", "4", at=10),
                right("Isthe tent dry?", "5", at=20),
                right("Wie groß?", "6", at=70),
                right("WIE GROSS?", "7", at=40),
                Asked(" Is the tent dry?", ["bad"], at=120),
                Asked("WIE GROß?", ["praised"], at=130),
                right("Is the tent\N{NO-BREAK SPACE}dry?", "10", at=50),
                right("Is 4 m² dry?", "11", at=5),
                right("Is 4 m2 dry?", "12", at=6),
            ]
        ],
        [
            "2:  is the tent dry?  -> 2",
            "4: Is the tent dry -> 4",
            "5: Isthe tent dry? -> 5",
            "6: Wie groß? -> 6",
            "11: Is 4 m² dry? -> 11",
            "12: Is 4 m2 dry? -> 12",
        ],
        Slip.when(
            "inner-spaces",
            lambda got: any(text.startswith("1:") for text in got["examples"]),
            "Two examples ask the same, except for the spaces between the words.",
        ),
        Slip.when(
            "oldest",
            lambda got: any(text.startswith("3:") for text in got["examples"]),
            "Of requests with the same question, the newest one stays.",
        ),
        Slip.when(
            "tidied",
            lambda got: any(text == "2: is the tent dry? -> 2" for text in got["examples"]),
            "The inputs have the question as the customer wrote it.",
        ),
    )
    for many in (10, 11):
        times = [float(n if many == 10 else 100 - n) for n in range(1, many + 1)]
        yield case(
            f"{many} corrected complaints",
            "ten",
            f"{many} corrected complaints, the newest {'first' if many == 11 else 'last'}",
            [[right(f"Question {n}?", str(n), at=at) for n, at in enumerate(times, 1)]],
            [f"{n}: Question {n}? -> {n}" for n in range(1, 11)],
            Slip.when(
                "more-than-ten",
                lambda got: len(got["examples"]) > 10,
                "At most ten examples are in the dataset.",
            ),
        )
    there: list[dict[str, Any]] = [
        {"inputs": {"question": " how  much does it WEIGH?"}, "outputs": {"answer": "Lots."}},
        {"inputs": {"question": "By hand?"}, "outputs": {"answer": "Yes."}, "metadata": {"by": 1}},
        {"inputs": {"text": heavy}, "outputs": {"question": keep}},
    ]
    kinds = ({"question": "Kept?"}, {"text": "Kept?"}, {"question": "kept? "})
    fill = [{"inputs": kinds[n % 3], "outputs": {"answer": str(n)}} for n in range(12)]
    day = [right(weigh, "2 kg."), right(heavy, "No."), right(keep)]
    yield case(
        "a dataset that is there",
        "dataset",
        "three corrected complaints, and a dataset with three examples",
        [day],
        [f"2: {heavy} -> No.", f"3: {keep} -> 28 days."],
        Slip.raises(
            "created-again",
            Exception,
            "The dataset may be there already, with other people's examples: read it then.",
        ),
        Slip.when(
            "emptied",
            lambda got: bool(got["changed"]),
            "The examples that were there belong to other people: leave them as they are.",
        ),
        Slip.when(
            "asked-again",
            lambda got: any(text.startswith("1:") for text in got["examples"]),
            "The dataset already has an example with that question, in other capitals and spaces.",
        ),
        there=there,
    )
    yield case(
        "an empty dataset that is there",
        "dataset",
        "three corrected complaints, and a dataset without examples",
        [day],
        [f"1: {weigh} -> 2 kg.", f"2: {heavy} -> No.", f"3: {keep} -> 28 days."],
        there=[],
    )
    yield Case(
        "datasets with 9, 10 and 12 examples",
        call=lambda: [
            complained.curated(answer, Plan([day], fill[:full]))["examples"] for full in (9, 10, 12)
        ],
        show="three corrected complaints, and datasets with 9, with 10 and with 12 examples: the"
        " examples that were added to each",
        expect=[[f"3: {keep} -> 28 days."], [], []],
        limit=30,
        about="ten",
        live=False,
    )
    yield case(
        "nothing to add",
        "dataset",
        "praise alone",
        [[Asked(weigh, ["praised"])]],
        [],
    )
    yield case(
        "called again",
        "dataset",
        "three corrected complaints, twice; then two new ones, one of them with an old question",
        [day, [], [right(heavy.upper(), "Yes."), right("Is it red?", "Blue.")]],
        [
            f"1: {weigh} -> 2 kg.",
            f"2: {heavy} -> No.",
            f"3: {keep} -> 28 days.",
            "5: Is it red? -> Blue.",
        ],
        Slip.when(
            "added-again",
            lambda got: sum(text.startswith("1:") for text in got["examples"]) > 1,
            "The second call has added the same examples once more.",
        ),
    )
    seven = [right(f"Question {n}?", str(n)) for n in range(1, 8)]
    yield case(
        "more each time",
        "ten",
        "seven corrected complaints; then seven with other questions; then nothing new",
        [seven, [right(f"Other {n}?", str(n), at=900.0 + n) for n in range(1, 8)], []],
        [
            *(f"{n}: Question {n}? -> {n}" for n in range(1, 8)),
            *(f"{n + 7}: Other {n}? -> {n}" for n in (5, 6, 7)),
        ],
    )
    yield case(
        "more than a page",
        "complaints",
        "two corrected complaints, and after them 110 without a correction",
        [[right(weigh, "2 kg."), right(keep), *[Asked(f"Why {n}?", ["bad"]) for n in range(110)]]],
        [f"1: {weigh} -> 2 kg.", f"2: {keep} -> 28 days."],
    )
    for seed in (8, 28):
        made = RandomDay(seed)
        yield case(
            f"a day of 40 requests ({seed})",
            "latest",
            "40 requests about eight things, with no, one, two or three feedbacks",
            [made.asked],
            made.examples(),
        )
