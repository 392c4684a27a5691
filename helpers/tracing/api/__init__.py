"""The HTTP API: the routes of LangSmith that the SDK calls, one module for each subject."""
