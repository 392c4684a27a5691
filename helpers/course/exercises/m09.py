"""Module 09, Trace with LangSmith: six exercises on traces that the SDK has written.

`m09_runs`, which brings LangChain and starts the lab's service, is imported where a case needs it:
to list the exercises, as `course status` does, must not take seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from helpers.course.exercises import Case, approx, exercise, satisfies
from helpers.course.exercises.m09_given import Pipeline, make_pipeline

if TYPE_CHECKING:
    from langsmith import Client

    from helpers.course.exercises.m09_runs import Curate, Curated, MakePipeline, Tree, Tried

# --- 09.1: a tree ---------------------------------------------------------------------------------

_CHILDREN = (("documents", "retriever"), ("draft", "llm"), ("draft", "llm"), ("orders", "tool"))
_ASKED = "Where is my tent?"


@exercise(
    "09.1",
    title="Trace a pipeline, across threads and async",
    starter=Pipeline,
    hints=[
        "@traceable above a method, plain or async, makes each call of it a run. answer is the one"
        " that all others are called from.",
        '@traceable(run_type="retriever") and so on: "llm" for draft, "tool" for orders. A run\'s'
        " name is that of its function.",
        "ThreadPoolExecutor starts threads with an empty context. ContextThreadPoolExecutor from"
        " langsmith.utils is used the same way, and brings the context along.",
        "In draft: get_current_run_tree().set(usage_metadata={...}) with input_tokens,"
        ' output_tokens and total_tokens. metadata={"ls_model_name": HOUSE_MODEL} in the decorator'
        " says whose price they have.",
    ],
)
def pipeline(submission: type) -> Iterator[Case]:
    """A pipeline whose tree is right, with tokens and cost."""
    from helpers.course.exercises import m09_runs as runs

    def case(
        name: str,
        of: Callable[["Tree"], Any],
        expect: object,
        slips: Sequence[tuple[Any, str]] = (),
        asked: Sequence[str] = (_ASKED,),
    ) -> Case:
        async def call() -> Any:
            found = await runs.traced(submission, asked)
            if not all(
                answer.startswith("Our answer: By the order book") for answer in found.answers
            ):
                raise AssertionError(f"the answer itself has changed: {found.answers}")
            return of(found)

        return Case(
            name,
            call=call,
            show=" and ".join(f"await Pipeline().answer({question!r})" for question in asked),
            expect=expect,
            slips=slips,
        )

    yield case(
        "one trace for one question, and its root is answer",
        lambda tree: tree.roots,
        ("answer",),
        [
            ((), "Nothing was traced: answer itself has to be a run."),
            (lambda got: "answer" in got, "Some runs have lost their parent."),
            (lambda got: len(got) > 1, "Each step is a trace of its own: answer is no run."),
        ],
    )
    yield case(
        "both searches and both drafts are directly below it, each with its type",
        lambda tree: tree.children,
        (_CHILDREN,),
        [
            (
                lambda got: bool(got) and not _named(got[0]) & {"documents", "orders"},
                "The searches are missing: the threads of a plain pool do not know which run they"
                " belong to.",
            ),
            (lambda got: bool(got) and "draft" not in _named(got[0]), "The drafts are missing."),
            (
                lambda got: bool(got) and _named(got[0]) == {"documents", "draft", "orders"},
                "The tree is right. Look at the types: retriever, tool, llm.",
            ),
        ],
    )
    yield case(
        "two questions at the same time are two traces",
        lambda tree: tree.children,
        (_CHILDREN, _CHILDREN),
        asked=(_ASKED, "And where is my stove?"),
    )
    yield Case(
        "tokens of both drafts, rolled up",
        call=lambda: _rolled_up(submission, "tokens"),
        show="the root run's total_tokens",
        expect=satisfies(
            "the tokens that the two replies report",
            lambda got: bool(got[0] == got[1]) or _about_tokens(*got),
        ),
    )
    yield Case(
        "their cost",
        call=lambda: _rolled_up(submission, "costs"),
        show="the root run's total_cost",
        expect=satisfies("the price of these tokens", lambda got: _about_cost(*got)),
    )


def _named(children: Sequence[tuple[str, str]]) -> set[str]:
    return {name for name, _ in children}


async def _rolled_up(submission: type, of: str) -> tuple[Any, Any]:
    """What the root has, and what it should have."""
    from helpers.course.exercises import m09_runs as runs
    from helpers.course.exercises.m09_given import house_model

    tree = await runs.traced(submission, [_ASKED])
    plain = Pipeline()
    replies = [
        await house_model(f"{found}\n\n{_ASKED}")
        for found in (plain.documents(_ASKED), plain.orders(_ASKED))
    ]
    tokens, cost = runs.usage_of(*replies)
    got = getattr(tree, of)
    return (got[0] if got else None), (tokens if of == "tokens" else cost)


def _about_tokens(got: int | None, wanted: int) -> bool | str:
    if got is None:
        return "No run reports tokens: draft has to set its usage_metadata."
    return f"{got} tokens are in the trace, the two replies report {wanted}."


def _about_cost(got: float | None, wanted: float) -> bool | str:
    if got is None:
        return "There is no cost: either no tokens, or no ls_model_name that has a price."
    return abs(got - wanted) < 1e-12 or f"The trace says ${got:.3g}, the tokens cost ${wanted:.3g}."


# --- 09.2: what costs out of proportion -----------------------------------------------------------

CostlyGroup = Callable[["Client", str, Sequence[str]], tuple[str, str, float, int]]


@exercise(
    "09.2",
    title="Find the group that costs out of proportion",
    hints=[
        "Which runs carry the cost of a whole request? Adding up all runs counts it twice.",
        "A request whose model has no price has total_cost None. It belongs neither into the cost"
        " nor into the number of requests, only into the last figure.",
        "For each key and each of its values: its share of the cost minus its share of the"
        " requests. The largest sum names a frequent value, the largest mean a single request.",
        "priced = [run for run in roots if run.total_cost is not None]; group their costs by"
        " (key, run.metadata[key]); take the group with the largest sum(costs) / total -"
        " len(costs) / len(priced).",
    ],
)
def costly(submission: CostlyGroup) -> Iterator[Case]:
    """The metadata key and value with the largest excess, its share of the cost, and gaps."""
    from helpers.course.exercises import m09_runs as runs
    from helpers.course.exercises.m09_day import KEYS
    from helpers.course.exercises.m09_desk import desk

    def call(seed: int, part: slice | int) -> Any:
        day = runs.planted(seed)
        return submission(desk(), day.project, list(KEYS))[part]

    for number, seed in enumerate((runs.SHOWN, *runs.OTHERS)):
        day = runs.planted(seed)
        yield Case(
            ["the day that you have seen", "another day", "and one more"][number],
            call=partial(call, seed, slice(0, 2)),
            show=f"costly_group(client, {day.project!r}, KEYS)[:2]",
            expect=(day.key, day.value),
            slips=[
                (lambda got: got[1] == "other", "That is a single huge request, not a group."),
                (
                    lambda got: got[1] in ("web", "en", "standard", "2.4", "order status"),
                    "That is frequent, so it costs much; not more than its share of the requests.",
                ),
                (TypeError, "A request without a price has None as its cost."),
            ],
        )
    day = runs.planted(runs.OTHERS[0])
    yield Case(
        "its part of the cost",
        call=partial(call, runs.OTHERS[0], 2),
        show=f"costly_group(client, {day.project!r}, KEYS)[2]",
        expect=approx(day.cost_share, rel=1e-3, text="its cost over that of all priced requests"),
        slips=[
            (lambda got: got > 1, "A share is from 0 to 1."),
            (
                lambda got: abs(got - day.cost_share + 0.0516) < 0.01,
                "That is the excess; the third figure is the group's part of the cost.",
            ),
        ],
    )
    yield Case(
        "requests without a price",
        call=partial(call, runs.OTHERS[1], 3),
        show="costly_group(...)[3]",
        expect=runs.planted(runs.OTHERS[1]).unpriced,
        slips=[
            (0, "There are some: their total_cost is None."),
            (12, "Each was counted twice, once as a request and once as its model's run."),
        ],
    )


# --- 09.3: tools ----------------------------------------------------------------------------------

Suspects = Callable[["Client", str], tuple[str, str]]


@exercise(
    "09.3",
    title="Find the slow tool and the failing tool",
    hints=[
        'Only tools are asked for: list_runs(..., run_type="tool"). A run has name, latency (in'
        " seconds) and error (None where it raised nothing).",
        "Slow at times does not show in the median, and hardly in the mean. Take the 95th"
        " percentile, of the calls that ended well: a time-out is a failure, not a slow answer.",
        "The tool that is called most has the most errors. And one error of one call is a rate of"
        " 100%, which says little.",
        "Proportion(errors, calls).interval[0] is the lower end of the rate's interval: even the"
        " kindest reading of the counts. Take the tool for which it is highest.",
    ],
)
def suspects(submission: Suspects) -> Iterator[Case]:
    """The tool with the slowest tail, and the one that surely fails most."""
    from helpers.course.exercises import m09_runs as runs
    from helpers.course.exercises.m09_desk import desk

    def case(seed: int, place: int, name: str, slips: Sequence[tuple[Any, str]]) -> Case:
        day = runs.planted(seed)
        return Case(
            name,
            call=lambda: submission(desk(), day.project)[place],
            show=f"suspects(client, {day.project!r})[{place}]",
            expect=(day.slow, day.failing)[place],
            slips=[("chat", "That is the model: only tools are asked for."), *slips],
        )

    for number, seed in enumerate((runs.SHOWN, *runs.OTHERS)):
        day = runs.planted(seed)
        where = ["the day that you have seen", "another day", "one more"][number]
        yield case(
            seed,
            0,
            f"the slow tool, {where}",
            [
                (day.failing, "Its slow calls are time-outs. Look at calls that ended well."),
                (
                    lambda got, day=day: got not in (day.slow, day.failing),
                    "That one is steady. Which tool is quick mostly, and very slow at times?",
                ),
            ],
        )
        yield case(
            seed,
            1,
            f"the failing tool, {where}",
            [
                ("gift_wrap", "One call, one error: how sure can you be of that rate?"),
                (
                    lambda got, day=day: got != day.failing,
                    "That one may have more errors, or refuse often. Which has the higher rate of"
                    " errors, surely?",
                ),
            ],
        )


# --- 09.4: examples -------------------------------------------------------------------------------


@exercise(
    "09.4",
    title="Turn ten bad runs into examples",
    hints=[
        "filter='and(eq(feedback_key, \"helpful\"), eq(feedback_score, 0))' gives the runs;"
        ' client.list_feedback(run_ids=[...], feedback_key=["helpful"]) what was said of them.',
        "Feedback without a correction says that something is wrong, not what would be right: no"
        " example comes of it.",
        "The newest first: sort by start_time, and keep the first of each question, compared by"
        " question.strip().casefold(). Then the first ten.",
        "client.has_dataset(dataset_name=name) says whether to create or to read it. On a second"
        " call, leave out what client.list_examples(dataset_name=name) already holds. An example"
        ' takes {"inputs": ..., "outputs": ..., "source_run_id": run.id}.',
    ],
)
def curate(submission: "Curate") -> Iterator[Case]:
    """A dataset of the newest corrected complaints, one for each question."""
    from helpers.course.exercises import m09_runs as runs

    def case(
        name: str,
        of: Callable[["Curated"], Any],
        expect: object,
        slips: Sequence[tuple[Any, str]] = (),
        *,
        seed: int = runs.OTHERS[0],
        times: int = 1,
    ) -> Case:
        day = runs.planted(seed)
        return Case(
            name,
            call=lambda: of(runs.curated(submission, day, times=times)),
            show=f"curate(client, {day.project!r}, name)" + ", twice" * (times - 1),
            expect=expect,
            slips=slips,
        )

    wanted = runs.planted(runs.OTHERS[0]).complaints[:10]
    sources = tuple(str(one.run_id) for one in wanted)
    yield case(
        "ten examples, of the newest complaints",
        lambda got: got.sources,
        satisfies("the runs of the ten newest corrected complaints, newest first", _runs(sources)),
        [
            (lambda got: len(got) == 0, "The dataset is empty."),
            (("None",) * 10, "Say which run an example is made of: source_run_id."),
            (lambda got: len(got) > 10, "At most ten are asked for."),
        ],
    )
    yield case(
        "each question once",
        lambda got: len({question.strip().casefold() for question in got.questions}),
        10,
        [(lambda got: got < 10, "Two examples ask the same, but for capitals and spaces.")],
    )
    yield case(
        "answers that a person gave",
        lambda got: got.answers,
        tuple(one.answer for one in wanted),
        [
            (
                lambda got: "That depends." in got,
                "That is what the agent said, which was wrong: take the correction.",
            ),
            (lambda got: None in got, 'Outputs are such as {"answer": "28 days"}.'),
        ],
    )
    yield case(
        "a second call adds nothing",
        lambda got: len(got.sources),
        10,
        [
            (20, "Everything is there twice."),
            (13, "The second call added those that were left out the first time."),
        ],
        times=2,
        seed=runs.OTHERS[1],
    )


def _runs(wanted: tuple[str, ...]) -> Callable[[Any], bool | str]:
    def test(got: Any) -> bool | str:
        if set(got) == set(wanted) and got != wanted:
            return "These are the right runs, in another order."
        if len(set(got) & set(wanted)) < len(wanted):
            return f"{len(set(got) & set(wanted))} of the ten are the right ones."
        return bool(got == wanted)

    return test


# --- 09.5: pseudonyms -----------------------------------------------------------------------------

MakeHook = Callable[[bytes], Callable[[Any], Any]]


@exercise(
    "09.5",
    title="Redact, so that the same customer can still be counted",
    hints=[
        "RULES holds a name and a pattern for each kind. pattern.sub(function, text) calls the"
        " function with each match and puts in what it returns.",
        "Data are nested: dictionaries and lists to any depth. A function that calls itself for"
        " each item gets everywhere; what is neither stays as it is.",
        "The same address is written in different ways. Before you compute its token, bring it into"
        " one form: lower case, and only letters and digits.",
        "A plain hash can be undone by trying all phone numbers. hmac.new(key, text.encode(),"
        ' "sha256").hexdigest()[:8] cannot, without the key.',
    ],
)
def hook(submission: MakeHook) -> Iterator[Case]:
    """A hook that replaces personal data by tokens that only the key's owner can make."""
    from helpers.course.exercises import m09_runs as runs

    key, other = b"the shop's key", b"another key"

    def clean(text: str, with_key: bytes = key) -> Any:
        return submission(with_key)({"text": text})["text"]

    yield Case(
        "nothing personal is stored of a request that fails",
        call=lambda: [
            piece for piece in runs.PERSONAL if piece in runs.stored_with(submission(key))
        ],
        show="Client(anonymizer=make_hook(key))",
        expect=[],
        slips=[(lambda got: isinstance(got, list), "These pieces are still in the stored run.")],
    )
    yield Case(
        "the same address, written in another way, is the same token",
        call=lambda: [clean("una.caird@mail.example"), clean("UNA.Caird@mail.example")],
        show="hook({'text': 'una.caird@mail.example'}), and in capitals",
        expect=satisfies("two equal tokens", lambda got: _token(got[0]) and got[0] == got[1]),
    )
    yield Case(
        "so is the same phone number",
        call=lambda: [clean("01632 960123"), clean("01632960123")],
        show="hook({'text': '01632 960123'}), and without the space",
        expect=satisfies("two equal tokens", lambda got: _token(got[0]) and got[0] == got[1]),
    )
    yield Case(
        "another address is another token",
        call=lambda: [clean("una.caird@mail.example"), clean("uma.caird@mail.example")],
        show="hook({'text': ...}) of two addresses",
        expect=satisfies(
            "two tokens that differ",
            lambda got: (
                (_token(got[0]) and got[0] != got[1])
                or "All customers look the same: nobody can be counted."
            ),
        ),
    )
    yield Case(
        "without the key nobody can make the token",
        call=lambda: [clean("01632 960123"), clean("01632 960123", other)],
        show="make_hook(key) and make_hook(another) on the same number",
        expect=satisfies(
            "two tokens that differ",
            lambda got: (
                (_token(got[0]) and got[0] != got[1])
                or "The token does not depend on the key: whoever tries all numbers finds it."
            ),
        ),
    )
    kept = {"order": "FH-10234", "n": 3, "score": 0.8123456789012345, "ok": True, "none": None}
    yield Case(
        "what is not personal stays, of any type",
        call=lambda: [
            submission(key)({"data": [kept]}),
            "mail.example" in str(submission(key)({"to": ["una.caird@mail.example"]})),
        ],
        show=f"hook({{'data': [{kept}]}})",
        expect=[{"data": [kept]}, False],
        slips=[(lambda got: got[1] is True, "A list inside is not looked into.")],
    )


def _token(text: Any) -> bool:
    """Whether something stands there that is neither the data nor nothing."""
    return isinstance(text, str) and bool(text) and "960123" not in text and "@" not in text


# --- 09.6: cheaper, with the same answers ---------------------------------------------------------


@exercise(
    "09.6",
    title="Cut the traced cost at the same answers",
    starter=make_pipeline,
    hints=[
        "Look at the trace of one request: three calls of the model. Whose result reaches the"
        " customer, and whose does not?",
        "The review is read by nobody. It also reads the most: a whole document.",
        "other_words is needed only when the first search finds nothing near enough. Without it,"
        " other answers come for these questions; asked for always, most of it is thrown away.",
        "Customers repeat each other. A dictionary in make_pipeline, from question to reply, lives"
        " as long as the pipeline.",
    ],
)
def cheaper(submission: "MakePipeline") -> Iterator[Case]:
    """A pipeline with the same answers at a quarter of the cost."""
    from helpers.course.exercises import m09_runs as runs

    tried = cache(lambda: runs.tried(submission))
    show = f"an experiment on {len(runs.REQUESTS)} requests"
    yield Case(
        "the same answers, word by word",
        call=lambda: tried().same,
        show=show,
        expect=satisfies("every answer as before", lambda got: all(got) or _how_many(got)),
        limit=120.0,
    )
    yield Case(
        "every call is in the trace",
        call=tried,
        show=show,
        expect=satisfies("as many tokens traced as the model counted", _honest),
        limit=120.0,
    )
    yield Case(
        f"at most {1 - runs.CUT:.0%} of the cost",
        call=tried,
        show=show,
        expect=satisfies(f"the cost cut by {runs.CUT:.0%} or more, at the same answers", _cheap),
        limit=120.0,
    )


def _how_many(same: Sequence[bool]) -> str:
    return f"{sum(same)} of {len(same)} answers are the same."


def _honest(got: "Tried") -> bool | str:
    if not all(got.same):
        return "This counts only at the same answers."
    if got.traced == got.metered:
        return True
    return (
        f"{got.traced} tokens are in the trace, the model counted {got.metered}: a cost that is not"
        " traced is not saved."
    )


def _cheap(got: "Tried") -> bool | str:
    from helpers.course.exercises.m09_runs import CUT

    if not all(got.same) or got.traced != got.metered:
        return "This counts only at the same answers, with every call in the trace."
    if got.share <= 1 - CUT:
        return True
    return f"It costs {got.share:.0%} of what the given pipeline costs."
