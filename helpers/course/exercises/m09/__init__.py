"""Module 09, Trace with LangSmith: what is traced, and what traces tell."""
