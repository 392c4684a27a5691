"""Module 05, Serve with FastAPI: seven exercises, from an event stream to a chat page.

What brings the servers and their clients (`live` and the modules that use it) is imported where a
case needs it: to list the exercises, as `course status` does, must not take seconds.
"""
