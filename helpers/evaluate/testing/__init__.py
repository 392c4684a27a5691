"""What the lab of module 02 is given: recorded agents, two searches, releases that really run.

A file for each, and nothing is imported here: the releases bring LangChain and the models.
"""
