"""What the walkthrough and the lab of module 11 are tried on.

`drill` runs a shift on the service with one incident, or with none; `drill_plan` draws it.
"""
