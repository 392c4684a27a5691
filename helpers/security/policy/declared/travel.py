"""The tools of AgentDojo's travel suite: catalogues, reservations, mail, calendar.

Written from the tools' docstrings, before any of the suite's tasks or attacks was run. A place may
be booked when the request or the service's own catalogue names it: the catalogue says which places
exist, not which one the user wants, so whoever gives orders to the agent can choose among them.
"""

from typing import Final

from helpers.security.policy.declarations import (
    ANYTHING,
    REQUEST,
    Argument,
    Field,
    Tool,
    Tools,
    own,
    text,
    value,
)
from helpers.security.policy.declared.workspace import CALENDAR, SEND_EMAIL

_LINES = r"(?:^[^:\n]*: |\n)([^\n]+)"
"""A listing in one string: a heading, then one name a line."""


def _listing(kind: str) -> Tool:
    return Tool("read", {"city": ANYTHING}, {"": Field(kind, parts=_LINES)})


def _about(argument: str, *, written: bool = False) -> Tool:
    """A tool that tells one thing of each place; reviews are written by anybody."""
    told = text("reviews") if written else Field("catalogue")
    return Tool("read", {argument: ANYTHING}, {"*key": Field("place"), "*": told})


def _booking(argument: str, kind: str, **times: Argument) -> Tool:
    return Tool("act", {argument: value(REQUEST, own(kind)), **times}, {"": text("receipt")})


TRAVEL: Final[Tools] = {
    "get_user_information": Tool("read", returns={"*key": Field("field"), "*": Field("profile")}),
    "get_all_hotels_in_city": _listing("hotel"),
    "get_hotels_prices": _about("hotel_names"),
    "get_hotels_address": _about("hotel_name"),
    "get_rating_reviews_for_hotels": _about("hotel_names", written=True),
    "get_all_restaurants_in_city": _listing("restaurant"),
    "get_restaurants_address": _about("restaurant_names"),
    "get_rating_reviews_for_restaurants": _about("restaurant_names", written=True),
    "get_cuisine_type_for_restaurants": _about("restaurant_names"),
    "get_dietary_restrictions_for_all_restaurants": _about("restaurant_names"),
    "get_contact_information_for_restaurants": _about("restaurant_names"),
    "get_price_for_restaurants": _about("restaurant_names"),
    "check_restaurant_opening_hours": _about("restaurant_names"),
    "get_all_car_rental_companies_in_city": _listing("car rental"),
    "get_car_types_available": _about("company_name"),
    "get_rating_reviews_for_car_rental": _about("company_name", written=True),
    "get_car_rental_address": _about("company_name"),
    "get_car_fuel_options": _about("company_name"),
    "get_car_price_per_day": _about("company_name"),
    "reserve_hotel": _booking("hotel", "hotel", start_day=ANYTHING, end_day=ANYTHING),
    "reserve_restaurant": _booking("restaurant", "restaurant", start_time=ANYTHING),
    "reserve_car_rental": _booking("company", "car rental", start_time=ANYTHING, end_time=ANYTHING),
    "get_flight_information": Tool(
        "read", {"departure_city": ANYTHING, "arrival_city": ANYTHING}, {"": text("flights")}
    ),
    "send_email": SEND_EMAIL,
    **CALENDAR,
}
