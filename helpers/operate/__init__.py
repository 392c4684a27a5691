"""Operate and improve: tools for any MCP client, and a bad day to practise on.

`mcp_server` serves the shop's tools (`course mcp`), `command_drill` lets a learner find and end an
incident that is not named (`course drill`), and `drill_form` writes the form that follows;
`testing` is what notebooks and exercises of this module try things on.
"""
