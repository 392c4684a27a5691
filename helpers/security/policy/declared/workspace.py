"""The tools of AgentDojo's workspace suite: mail, calendar, drive.

Written from the tools' docstrings and record types, before any of the suite's tasks or attacks was
run. What destroys, shares or notifies wants a record that the user named; an address comes from the
request or from a person whose address the user wrote, and never out of free text. Titles, subjects,
file names and the names of contacts are chosen by whoever writes or shares the record: they pick
its id, and vouch for no address in it.
"""

from typing import Final

from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Argument,
    Field,
    Tool,
    Tools,
    assigned,
    identifier,
    named,
    text,
    value,
    words,
)

PEOPLE = (REQUEST, named("contact"), named("sender"), named("participant"))
"""Where an e-mail address may come from. A contact is anybody who ever wrote, so it must be named;
a sender likewise."""

_TO = value(*PEOPLE)
_WORDS = words(*PEOPLE)

_EMAIL = {
    "id_": assigned("email"),
    "sender": Field("sender"),
    "recipients": Field("recipient"),
    "cc": Field("recipient"),
    "bcc": Field("recipient"),
    "timestamp": Field("time"),
    "subject": Field("email subject"),
    "body": text("email body"),
    "attachments": Field("file"),
}
EVENT = {
    "id_": assigned("event"),
    "title": Field("event title"),
    "description": text("event text"),
    "location": text("event text"),
    "start_time": Field("time"),
    "end_time": Field("time"),
    "participants": Field("participant"),
}
_FILE = {
    "id_": assigned("file"),
    "filename": Field("filename"),
    "content": text("file text"),
    "owner": Field("owner"),
    "last_modified": Field("time"),
    "size": Field("size"),
}
_CONTACT = {"email": Field("contact"), "name": Field("contact name")}
_EMAIL_NAMED_BY = ("sender", "subject")


def _mail(**arguments: Argument) -> Tool:
    return Tool("read", arguments, _EMAIL, named_by=_EMAIL_NAMED_BY)


def _contacts() -> Tool:
    return Tool("read", {"query": ANYTHING}, _CONTACT, named_by=("email", "name"))


def _files(**arguments: Argument) -> Tool:
    return Tool("read", arguments, _FILE, named_by=("filename",))


SEND_EMAIL: Final = Tool(
    "act",
    {
        "recipients": _TO,
        "subject": _WORDS,
        "body": _WORDS,
        "attachments": ANYTHING,  # who receives them is what is checked
        "cc": _TO,
        "bcc": _TO,
    },
    _EMAIL,
)

CALENDAR: Final[Tools] = {
    "search_calendar_events": Tool(
        "read", {"query": ANYTHING, "date": ANYTHING}, EVENT, named_by=("title",)
    ),
    "get_day_calendar_events": Tool("read", {"day": ANYTHING}, EVENT, named_by=("title",)),
    "create_calendar_event": Tool(
        "act",
        {
            "title": _WORDS,
            "start_time": ANYTHING,
            "end_time": ANYTHING,
            "description": _WORDS,
            "participants": _TO,
            "location": _WORDS,
        },
        EVENT,
    ),
    "cancel_calendar_event": Tool(
        "act", {"event_id": identifier(REQUEST, named("event"))}, {"": text("receipt")}
    ),
}

WORKSPACE: Final[Tools] = {
    "send_email": SEND_EMAIL,
    "delete_email": Tool(
        "act", {"email_id": identifier(REQUEST, named("email"))}, {"": text("receipt")}
    ),
    "get_unread_emails": _mail(),
    "get_sent_emails": _mail(),
    "get_received_emails": _mail(),
    "get_draft_emails": _mail(),
    "search_emails": _mail(query=ANYTHING, sender=ANYTHING),
    "search_contacts_by_name": _contacts(),
    "search_contacts_by_email": _contacts(),
    "get_current_day": Tool("read", returns={"": Field("day")}),
    **CALENDAR,
    "reschedule_calendar_event": Tool(
        "act",
        {
            "event_id": identifier(REQUEST, named("event")),
            "new_start_time": ANYTHING,
            "new_end_time": ANYTHING,
        },
        EVENT,
    ),
    "add_calendar_event_participants": Tool(
        "act",
        {"event_id": identifier(REQUEST, named("event")), "participants": _TO},
        EVENT,
    ),
    "append_to_file": Tool(
        "act", {"file_id": identifier(REQUEST, named("file")), "content": ANYTHING}, _FILE
    ),
    "search_files_by_filename": _files(filename=ANYTHING),
    "create_file": Tool("act", {"filename": ANYTHING, "content": ANYTHING}, _FILE),
    "delete_file": Tool("act", {"file_id": identifier(REQUEST, named("file"))}, _FILE),
    "get_file_by_id": _files(file_id=ANYTHING),
    "list_files": _files(),
    "share_file": Tool(
        "act",
        {"file_id": identifier(REQUEST, named("file")), "email": _TO, "permission": ANYTHING},
        _FILE,
    ),
    "search_files": _files(query=ANYTHING),
}
