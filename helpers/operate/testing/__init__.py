"""What module 11's notebooks and exercises try things on.

`plans` are deployments to compare, `langgraph` a LangGraph server whose answers are stored, `canary`
many canaries at once, `hours` the hours of incidents to diagnose, `drill` a shift on the real
service. Nothing is imported here: each takes what only it needs.
"""
