"""The environment variables that the page reads."""

URL_VARIABLE = "COURSE_CHAT_URL"
KEY_VARIABLE = "COURSE_CHAT_KEY"
