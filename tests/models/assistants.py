"""Three made-up assistants with five tools each; `prompts/` holds what people ask them."""

from typing import Annotated, Literal

from langchain_core.tools import BaseTool, tool
from pydantic import Field

LoanId = Annotated[str, Field(pattern=r"^L-\d{4}$", description="the loan's number, like L-1234")]


@tool(
    extras={
        "examples": [
            "Where is my loan L-1234?",
            "What is the status of L-1234?",
            "When do I have to return L-1234?",
            "Is my book late?",
            "Has my reservation L-1234 come in?",
            "Show me what I have on loan",
        ]
    }
)
def look_up_loan(loan_id: LoanId) -> str:
    """Look up one loan or reservation: its title, its due date, whether it is overdue."""
    return f"Loan {loan_id}: The Odyssey, due on 14 May, not overdue."


@tool(
    extras={
        "examples": [
            "Renew my loan L-1234",
            "Please extend L-1234 by two weeks",
            "I want to keep the book longer",
            "Can I have another week with L-1234?",
            "Postpone the return of L-1234",
            "I need more time for this book",
        ],
        "written": {"weeks": r"(\d+|an?|another|one|two|three|four) (?:more )?weeks?"},
    }
)
def renew_loan(
    loan_id: LoanId,
    weeks: Annotated[int | None, Field(description="how many weeks, 1 to 4", ge=1, le=4)] = None,
) -> str:
    """Renew a loan, so that it is due later."""
    return f"Loan {loan_id} is renewed for {weeks or 3} weeks."


@tool(
    extras={
        "verbatim": ["query"],
        "examples": [
            "Do you have a book about whales?",
            "I am looking for crime novels",
            "Find books by Jane Austen",
            "Suggest a good book for children",
            "Have you got War and Peace?",
            "Which films about space do you stock?",
        ],
    }
)
def search_catalogue(query: str) -> str:
    """Search the library's catalogue for books, films and audiobooks."""
    return "Found: Moby Dick, by Herman Melville, 2 copies."


@tool(
    extras={
        "verbatim": ["question"],
        "examples": [
            "When are you open?",
            "How do I get a library card?",
            "What are the fees for late returns?",
            "How many books can I borrow?",
            "May I bring a drink into the library?",
            "What do I pay for a damaged book?",
            "Can I use the computers and printers?",
        ],
    }
)
def ask_rules(question: str) -> str:
    """Answer questions about the library's rules: opening hours, membership, fees, printing."""
    return "The library is open from 9 to 17, and late items cost 20 pence a day."


@tool(
    extras={
        "examples": [
            {
                "text": "Book a meeting room for 4 people on Thursday",
                "args": {"date": "Thursday", "people": 4},
            },
            {"text": "I need a study room on Sunday", "args": {"date": "Sunday"}},
            {"text": "Is a room available on 1 April?", "args": {"date": "1 April"}},
            "Reserve a room for our group of 6",
            "We would like to meet in the library with five people",
        ]
    }
)
def book_room(
    date: Annotated[str, Field(description="the day, as the person says it")],
    people: Annotated[int, Field(description="how many people", ge=1)],
) -> str:
    """Book a room in the library for a group."""
    return f"A room for {people} is booked on {date}."


LIBRARY: list[BaseTool] = [look_up_loan, renew_loan, search_catalogue, ask_rules, book_room]


@tool(
    extras={
        "examples": [
            "Set a timer for 5 minutes",
            "Tell me when 15 minutes are over",
            "Count down from 3 minutes",
            "Remind me to check the oven in 20 minutes",
            "Alarm in half an hour",
        ]
    }
)
def set_timer(minutes: Annotated[int, Field(description="how many minutes", ge=1)]) -> str:
    """Set a kitchen timer."""
    return f"The timer rings in {minutes} minutes."


@tool(
    extras={
        "examples": [
            {"text": "How much is 1 cup in grams?", "args": {"unit": "grams"}},
            {"text": "Convert 4 grams to ounces", "args": {"unit": "ounces"}},
            "What are 200 degrees celsius in fahrenheit?",
            "Change 6 tablespoons into millilitres",
            "1 pint in millilitres",
        ]
    }
)
def convert_amount(
    amount: Annotated[float, Field(description="the amount to convert")],
    unit: Literal["grams", "ounces", "millilitres", "cups", "celsius", "fahrenheit"],
) -> str:
    """Convert an amount or a temperature into another unit."""
    return f"{amount} is 100 {unit}."


@tool(
    extras={
        "verbatim": ["wish"],
        "examples": [
            "What should I cook tonight?",
            "Find a recipe with mushrooms",
            "How do I cook lasagne?",
            "I would like a vegetarian soup",
            "Suggest a dessert",
            "What can I make from leftover rice?",
        ],
    }
)
def find_recipe(wish: str) -> str:
    """Find a recipe for a dish, or for what is in the house."""
    return "Leek pie: bake 3 leeks under pastry for 30 minutes."


@tool(
    extras={
        "verbatim": ["question"],
        "examples": [
            "How long does cooked ham keep?",
            "Is it safe to eat raw eggs?",
            "Can I freeze this again?",
            "What temperature kills bacteria in meat?",
            "Has this fish gone bad?",
        ],
    }
)
def ask_food_safety(question: str) -> str:
    """Answer a question about food safety: how long food keeps, what is safe to eat."""
    return "Cooked food keeps for two days in the fridge."


@tool(
    extras={
        "examples": [
            {"text": "Add bread to the shopping list", "args": {"item": "bread"}},
            {"text": "We need more sugar", "args": {"item": "sugar"}},
            "Write coffee on the list",
            "I must buy apples",
            "We have run out of rice",
        ]
    }
)
def add_to_list(item: Annotated[str, Field(description="what to buy")]) -> str:
    """Add an item to the shopping list."""
    return f"{item} is on the list."


KITCHEN: list[BaseTool] = [set_timer, convert_amount, find_recipe, ask_food_safety, add_to_list]


BookingId = Annotated[str, Field(pattern=r"^BK\d{3}$", description="the booking's number")]


@tool(
    extras={
        "examples": [
            "Show me booking BK123",
            "When do I arrive according to BK123?",
            "Is my reservation BK123 confirmed?",
            "What did I pay for BK123?",
            "Which room do we have?",
        ]
    }
)
def find_booking(booking_id: BookingId) -> str:
    """Look up a booking: its dates, room, price and whether it is paid."""
    return f"Booking {booking_id}: 3 to 5 May, double room, paid."


@tool(
    extras={
        "examples": [
            "Cancel my booking BK123",
            "I do not want BK123 any longer",
            "Please delete our reservation",
            "We have to cancel because we are ill",
            "Can I get a refund for BK123?",
        ]
    }
)
def cancel_booking(booking_id: BookingId) -> str:
    """Cancel a booking."""
    return f"Booking {booking_id} is cancelled."


@tool(
    extras={
        "verbatim": ["order"],
        "examples": [
            "Bring me a pizza to my room",
            "I would like a bottle of water",
            "Can I order some soup?",
            "We are hungry, what about two omelettes",
            "Send up a coffee with milk",
        ],
    }
)
def order_room_service(order: str) -> str:
    """Order food and drinks to the room."""
    return "It will be with you in 20 minutes."


@tool(
    extras={
        "verbatim": ["question"],
        "examples": [
            "When is breakfast served?",
            "Do you have a swimming pool?",
            "How does the internet work here?",
            "What time is check-in?",
            "Can I leave my luggage with you?",
            "Are children welcome?",
        ],
    }
)
def ask_hotel(question: str) -> str:
    """Answer questions about the hotel: services, times, house rules."""
    return "Breakfast is from 7 to 10. There is a pool on the roof."


@tool(
    extras={
        "examples": [
            {"text": "Order a taxi for 5 pm", "args": {"time": "5 pm"}},
            {"text": "I need a cab to the airport at 4:45", "args": {"time": "4:45"}},
            {"text": "Can you get us a car at midnight?", "args": {"time": "midnight"}},
            "We have to go to the railway station",
        ]
    }
)
def call_taxi(time: Annotated[str, Field(description="when the taxi should come")]) -> str:
    """Call a taxi."""
    return f"A taxi comes at {time}."


HOTEL: list[BaseTool] = [find_booking, cancel_booking, order_room_service, ask_hotel, call_taxi]
