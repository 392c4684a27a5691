"""Operate and improve: choose a deployment, speak MCP, release on a part of the traffic, drill.

`deployments` is the model of what a deployment costs, `mcp` the shop's tools for any MCP client
(`course mcp`), `drill` a day with an incident that is not named (`course drill`); `testing` is what
the lab's exercises of this module are tried on.
"""
