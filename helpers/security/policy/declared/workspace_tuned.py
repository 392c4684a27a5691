"""The tools of the workspace suite after its first measurement: what the misses taught.

- What the agent has made itself, under a name that the user gave, is a record that the user named.
- People say "the team meeting minutes", not "team-meeting-minutes.docx".
- A search for several of the user's own words that finds one record has found what the user meant.
- Who reads a file of the user's own may be written to about it.

Others may share a file of any name with the user, so only a file that the drive says is the user's
own is named by what it is called. The calendar does not say whose an event is: an attacker's event
of the same title can be moved or cancelled, and its participants are not written to.
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
OWNER: Final = "emma.johnson@bluesparrowtech.com"
"""The user of the suite. A service makes its declarations for the account that is logged in."""
_RECORDS = {"filename": Field("filename", spoken=True), "shared_with.*key": Field("reader")}


def _tuned(name: str, tool: Tool) -> Tool:
    if "filename" in tool.returns:
        returns = {**tool.returns, **_RECORDS}
        tool = replace(tool, returns=returns, named_by=("filename",), own=("owner", OWNER))
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
