"""Exercise 10.2: an exact cache in front of an agent's model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.course.exercises import Case, Hint, Slip, exercise, generated, raises

if TYPE_CHECKING:
    from helpers.course.exercises.m10.kept import Asked, CacheClass


@exercise(
    "10.2",
    title="An exact cache with the right key",
    hints=[
        "Write a method key(request) first, which gives a text: json.dumps of a list of all that"
        " the statement names. wrap_model_call then needs a dict from keys to messages.",
        Hint(
            "Go through the statement's list: is each part of it in the key, and each as a part of"
            " its own? json.dumps([a, b]) tells None from 'None', and ['a b', 'c'] from"
            " ['a', 'b c'].",
            "key",
        ),
        Hint(
            "Build the part of a message from its type, content, name and calls, instead of taking"
            " the whole message: then no id can slip in. Give each tool call a number, as it comes,"
            " and look up a tool message's tool_call_id in the dict from ids to numbers.",
            "ids",
        ),
        Hint(
            "message = response.result[0]. If it has tool_calls, return the response and keep"
            " nothing. Leave handler's errors alone.",
            "kept",
        ),
        Hint(
            "An OrderedDict knows the order: move_to_end(key) after a hit, and popitem(last=False)"
            " as soon as there are more than most.",
            "most",
        ),
        Hint(
            "Work out the key before you call handler: while the model answers, the documents may"
            " change.",
            "version",
        ),
        Hint(
            "message.model_copy(update={...}, deep=True), with id and usage_metadata None and a new"
            " response_metadata; and once more a deep copy for each hit.",
            "hit",
        ),
        "In wrap_model_call: key; if it is there, return a copy in ModelResponse([...]); otherwise"
        " handler(request), keep a copy, drop the oldest, return the response.",
    ],
)
def exact_cache(answer: "CacheClass") -> Iterator[Case]:
    """A middleware that serves an answer again to the same request, and to no other."""
    from langchain_core.messages import AIMessage, HumanMessage

    from helpers.course.exercises.m10 import agents, kept
    from helpers.course.exercises.m10.kept import Asked, called, told

    broken = [
        Slip.raises(
            "no-cache",
            kept.NotACache,
            "ModelCache is a subclass of AgentMiddleware. wrap_model_call calls handler(request) at"
            " most once, and returns what the statement says.",
        ),
    ]
    plain = Asked()

    def apart(
        name: str, about: str, show: str, *requests: Asked, slips: tuple[Slip, ...] = ()
    ) -> Case:
        return Case(
            name,
            call=lambda: kept.apart(answer, *requests),
            show=f"{show}: each once, and then each once more",
            expect=kept.each_apart(len(requests)),
            slips=[*slips, *broken],
            about=about,
        )

    def in_turn(
        name: str, about: str, most: int, requests: "list[Asked]", said: str, *slips: Slip
    ) -> Case:
        who = {"m": "model: answer", "c": "cache: answer"}
        expect = [
            "ModelDown" if one == "down" else f"{who[one[0]]} {one[1:]}" for one in said.split()
        ]
        return Case(
            name,
            call=lambda: [
                text.removesuffix(", which calls a tool")
                for text in kept.asked(answer, most, requests)
            ],
            show=kept.shown(most, requests),
            expect=expect,
            slips=[*slips, *broken],
            about=about,
        )

    yield in_turn(
        "the example",
        "key",
        5,
        [plain, plain.but(customer="ben"), plain, plain.but(customer="ben")],
        "m1 m2 c1 c2",
        Slip.when(
            "never-a-hit",
            lambda got: got == [f"model: answer {n}" for n in (1, 2, 3, 4)],
            "The same request came again, and the model was asked again. Is something in the key"
            " that differs from run to run, such as the id of a message or an object's address?",
        ),
        Slip.when(
            "other-customer",
            lambda got: got[1] == "cache: answer 1",
            "Ben got the answer to Ann.",
        ),
    )
    yield apart(
        "customers and versions",
        "key",
        "customers ann, None and 'None', versions 1 and 2, and a customer '2' with version '1'",
        plain,
        plain.but(customer=None),
        plain.but(customer="None"),
        plain.but(version="2"),
        plain.but(version="2", customer="1"),
        plain.but(version="1", customer="2"),
        plain.but(version="1", customer="21"),
        plain.but(version="12", customer="1"),
        slips=(
            Slip.when(
                "old-documents",
                lambda got: got[3] == "cache: answer 1",
                "The documents have changed, and the old answer was served.",
            ),
        ),
    )
    yield apart(
        "models and settings",
        "key",
        "other models, temperatures, top_p, model_settings and tool_choice",
        plain,
        plain.but(model="large"),
        plain.but(temperature=0.5),
        plain.but(top_p=0.5),
        plain.but(settings={"seed": 1}),
        plain.but(settings={"seed": 2}),
        plain.but(choice="any"),
        plain.but(choice="weigh"),
        slips=(
            Slip.when(
                "no-settings",
                lambda got: got[2].startswith("cache"),
                "Another temperature, and the same answer: the settings are a part of the key.",
            ),
        ),
    )
    image = {"type": "image", "url": "https://fernhill.example/1.png"}
    yield apart(
        "prompts and messages",
        "key",
        "other system prompts, messages, orders, roles, names and images",
        plain,
        plain.but(system=None),
        plain.but(system="Be kind."),
        plain.but(messages=(HumanMessage("How heavy is the Alta 3?"),)),
        plain.but(messages=(*plain.messages, AIMessage("2.1 kg."), HumanMessage("Sure?"))),
        plain.but(messages=(*plain.messages, HumanMessage("2.1 kg."), HumanMessage("Sure?"))),
        plain.but(messages=(HumanMessage("Sure?"), AIMessage("2.1 kg."), *plain.messages)),
        plain.but(messages=(HumanMessage("Sure?"),)),
        plain.but(messages=(HumanMessage("Sure?", name="ben"),)),
        plain.but(messages=(HumanMessage(["Sure?", image]),)),
        plain.but(messages=(HumanMessage(["Sure?", image | {"url": "https://x.example/2"}]),)),
        slips=(
            Slip.when(
                "last-message",
                lambda got: got[7] == "cache: answer 5",
                "The same last message after another conversation is another request.",
            ),
        ),
    )
    yield apart(
        "tools",
        "key",
        f"the tools {', '.join(kept.TOOLS)}, none, and two",
        *(plain.but(tools=(name,)) for name in kept.TOOLS),
        plain.but(tools=()),
        plain.but(tools=("weigh", "look")),
        slips=(
            Slip.when(
                "names-of-tools",
                lambda got: got[1] == "cache: answer 1",
                "A tool with the same name and another description is another tool for the model.",
            ),
        ),
    )
    yield apart(
        "tool calls",
        "ids",
        "other arguments, other results, and the same results for the other call",
        plain.but(messages=(*plain.messages, called("a"), told("2 kg"))),
        plain.but(messages=(*plain.messages, called("b"), told("2 kg"))),
        plain.but(messages=(*plain.messages, called("a"), told("3 kg"))),
        plain.but(messages=(*plain.messages, called("a", "b"), told("2 kg"), told("3 kg", 1))),
        plain.but(messages=(*plain.messages, called("a", "b"), told("2 kg", 1), told("3 kg"))),
        plain.but(messages=(*plain.messages, called("b", "a"), told("2 kg"), told("3 kg", 1))),
        slips=(
            Slip.when(
                "call-ids",
                lambda got: [text[:5] for text in got] == ["model"] * 12,
                "The ids of tool calls differ from run to run: they must not be in the key.",
            ),
            Slip.when(
                "which-call",
                lambda got: got[4] == "cache: answer 4",
                "Here 2 kg is the result of the second call; before, it was that of the first.",
            ),
        ),
    )
    yield Case(
        "the message of a hit",
        call=lambda: kept.of_a_hit(answer),
        show="Ann asks, Ben asks, Ann asks three more times: the last three messages",
        expect={
            "answers": ["model: answer 1", "model: answer 2", *["cache: answer 1"] * 3],
            "name": ["support"] * 3,
            "response_metadata": [{"tier": "cache"}] * 3,
            "tokens": [0, 0, 0],
            "an id twice": False,
            "the model's answers": [24, 24],
        },
        slips=[
            Slip.when(
                "usage-again",
                lambda got: sum(got["tokens"]) > 0,
                "The answer from the cache has the old usage: a meter would count it again.",
            ),
            Slip.when(
                "same-id",
                lambda got: got["an id twice"],
                "Two messages have the same id: in one conversation, the second would replace the"
                " first.",
            ),
            *broken,
        ],
        about="hit",
    )
    fails, calls = plain.but(model_does="fails"), plain.but(model_does="calls")
    yield in_turn(
        "errors and tool calls",
        "kept",
        3,
        [fails, fails, calls, calls, plain, fails, calls],
        "down down m3 m4 m5 c5 c5",
        Slip.when(
            "calls-kept",
            lambda got: got[3] == "cache: answer 3",
            "An answer with tool calls was served again.",
        ),
        Slip.when(
            "error-swallowed",
            lambda got: got[0] != "ModelDown",
            "The model failed: let the error that handler raises reach the caller.",
        ),
    )
    a, b, c, d = (plain.but(customer=name) for name in "abcd")
    yield in_turn(
        "two answers, and the least recently used",
        "most",
        2,
        [a, b, a, c, a, b, c, a],
        "m1 m2 c1 m3 c1 m4 m5 m6",
        Slip.when(
            "oldest-first",
            lambda got: got[4] != "cache: answer 1" and got[:4][-1] == "model: answer 3",
            "When the third answer came, the first had just been used: drop the second.",
        ),
    )
    yield in_turn(
        "most, and one more",
        "most",
        3,
        [a, b, c, a, b, c, d, b, c, d, a],
        "m1 m2 m3 c1 c2 c3 m4 c2 c3 c4 m5",
        Slip.when(
            "one-too-few",
            lambda got: got[3].startswith("model"),
            "Three answers may be kept.",
        ),
        Slip.when(
            "unbounded",
            lambda got: got[10].startswith("cache"),
            "There are four answers by then, and at most three may be kept.",
        ),
    )
    yield in_turn(
        "one answer",
        "most",
        1,
        [a, a, b, b, b.but(model_does="fails", version="2"), b, a, b],
        "m1 c1 m2 c2 down c2 m4 m5",
    )
    yield in_turn(
        "an old version, which comes back",
        "version",
        3,
        [plain, plain.but(version="2"), plain, plain.but(version="2")],
        "m1 m2 c1 c2",
    )
    yield Case(
        "the documents change while the model answers",
        call=lambda: kept.changed_meanwhile(answer),
        show="version 1 when the question comes, 2 when the answer is there; then 2, 1 and 2",
        expect=["model: answer 1", "model: answer 2", "cache: answer 1", "cache: answer 2"],
        slips=[
            Slip.when(
                "version-after",
                lambda got: got[1] == "cache: answer 1",
                "The answer was made from version 1, and is served as one from version 2.",
            ),
            *broken,
        ],
        about="version",
    )
    yield Case(
        "messages that are changed later",
        call=lambda: [kept.spoiled(answer), kept.parts_spoiled(answer)],
        show="the same request three times, and each message is changed by the one who got it",
        expect=[
            ["model: answer 1", "cache: answer 1", "cache: answer 1", "support"],
            [[{"type": "text", "text": "2.1 kg"}]] * 3,
        ],
        slips=[
            Slip.when(
                "no-copy",
                lambda got: "changed" in str(got),
                "Someone has changed a message that was returned, and with it the kept one: keep a"
                " deep copy, and return one.",
            ),
            *broken,
        ],
        about="hit",
    )
    yield Case(
        "two caches",
        call=lambda: kept.two_caches(answer),
        show="a cache for one answer, and one for two, in turns",
        expect=[
            *("model: answer 1", "model: answer 1", "model: answer 2", "model: answer 2"),
            *("model: answer 3", "cache: answer 1", "cache: answer 2"),
        ],
        slips=broken,
        about="most",
    )
    for most in (0, -3):
        yield Case(
            f"room for {most} answers",
            call=lambda most=most: answer(most, lambda: "1"),  # type: ignore[misc]
            show=f"ModelCache({most}, version)",
            expect=raises(ValueError, "most"),
            about="most",
        )
    yield generated(
        "any requests",
        answer,
        exercise="10.2",
        inputs=kept.inputs(),
        called=kept.shown,
        used=lambda one: lambda *arguments: kept.asked(one, *arguments),
        slips=broken,
        about="key",
        budget=60,
    )
    yield Case(
        "agents of LangChain",
        call=lambda: agents.in_agents(answer),
        show="agents with the cache: two customers and two versions; one conversation that repeats"
        " a question, of which the model reads the last message alone; and one with a tool",
        expect=agents.EXPECTED,
        slips=broken,
        limit=20,
        about="hit",
    )
