"""The declarations of the tools of AgentDojo's suites and of Fernhill's agent."""
