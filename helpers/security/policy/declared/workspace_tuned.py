"""The tools of the workspace suite after its first measurement: what the misses taught.

- What the agent has made itself, under a name that the user gave, is a record that the user named.
- People say "the team meeting minutes", not "team-meeting-minutes.docx".
- A search for several of the user's own words that finds one record has found what the user meant.
- Who reads a file that the user named may be written to about it.

Each widens what counts as named, and so what an attacker can reach who may put a record of a likely
name into the user's drive, calendar or inbox. AgentDojo's attackers cannot.
"""

from dataclasses import replace
from typing import Final

from helpers.security.policy.declarations import Field, Tool, Tools, named, value, words
from helpers.security.policy.declared.workspace import PEOPLE
from helpers.security.policy.declared.workspace import WORKSPACE as FIRST

_PEOPLE = (*PEOPLE, named("reader"))
_PEOPLE_ARGUMENTS = {
    "send_email": ("recipients", "cc", "bcc"),
    "create_calendar_event": ("participants",),
    "add_calendar_event_participants": ("participants",),
    "share_file": ("email",),
}
_RECORDS = {"filename": Field("filename", spoken=True), "shared_with.*key": Field("reader")}


def _tuned(name: str, tool: Tool) -> Tool:
    if "filename" in tool.returns:
        tool = replace(tool, returns={**tool.returns, **_RECORDS}, named_by=("filename",))
    elif "title" in tool.returns:
        tool = replace(tool, named_by=("title",))
    if "query" in tool.arguments and not name.startswith("search_contacts"):
        tool = replace(tool, named_by_search="query")
    arguments = dict(tool.arguments)
    for argument in _PEOPLE_ARGUMENTS.get(name, ()):
        arguments[argument] = value(*_PEOPLE)
    for argument, accepts in arguments.items():
        if accepts.shape == "words":
            arguments[argument] = words(*_PEOPLE)
    return replace(tool, arguments=arguments)


WORKSPACE: Final[Tools] = {name: _tuned(name, tool) for name, tool in FIRST.items()}
