"""The action policy: what a compromised agent can still do is decided by code."""
