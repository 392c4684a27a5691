"""Module 01, Build an agent: six exercises, each plugged into the shop's own agent.

What brings LangChain and the models (`tool_calls`, `scores`, `memory`, `refunds`, `quoting`) is
imported where a case needs it: to list the exercises, as `course status` does, must not take
seconds.
"""
