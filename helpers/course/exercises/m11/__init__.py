"""Module 11, Operate and improve: what a deployment costs, MCP, canaries, incidents and a drill."""
