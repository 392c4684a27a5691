"""Module 04, Limit the agent's actions: what a call may do is decided by code around the agent."""
