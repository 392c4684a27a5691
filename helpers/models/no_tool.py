"""What people say to any assistant without wanting one of its tools.

The classifier in `helpers.models.classify` learns small talk, and requests from the rest of the
world, as the answer "no tool"; where one tool is the default, it gets the second kind. A text
that is close to one of the bound tools' own is left out, so a weather tool is not shadowed by the
question about the weather.
"""

SMALL_TALK = (
    "Hello",
    "Hi there, how are you?",
    "Good morning",
    "Thank you very much",
    "Thanks, that is all I needed",
    "Great, perfect, you were very helpful",
    "That was good",
    "Goodbye, have a nice day",
    "ok",
    "bye",
    "yes please",
    "no thank you",
    "never mind",
    "sorry, my mistake",
    "Nice to meet you",
    "What is your name?",
    "Who are you? Are you a robot or a human?",
    "What can you do for me?",
    "You are funny",
    "I am so angry with you",
)

REST_OF_THE_WORLD = (
    "What is the capital of Australia?",
    "How high is the tallest building on earth?",
    "Who is the president?",
    "Who won the football match?",
    "Who wrote this song?",
    "What is 12 plus 30?",
    "What is the square of 15?",
    "What does this word mean?",
    "Translate good night into Italian",
    "Write a poem about the sea",
    "Tell me a story",
    "Tell me a joke",
    "Explain how gravity works",
    "Write a program that sorts numbers",
    "My computer does not start",
    "How do I repair a bicycle?",
    "Will it snow tomorrow?",
    "What is the time in New York?",
    "What are shares in that company worth?",
    "Which films won an award last year?",
    "Book a flight to London",
    "Call my brother",
    "Play some music",
    "Should I ask her to marry me?",
)
