"""Module 09, Trace with LangSmith: what is traced, what the traces say, what comes of them."""
