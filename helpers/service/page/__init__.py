"""The chat page: a Streamlit app that talks to the service over HTTP and nothing else.

`course chat` opens it in front of a running service. `client` speaks to the service, `app` is the
page itself; neither knows the agent, so the page can run on another machine than the model.
"""
