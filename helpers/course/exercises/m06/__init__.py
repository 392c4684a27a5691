"""Module 06, Scale with Ray: five exercises, from an actor pool to a service that survives.

Ray takes seconds to import, so a case imports it when it needs it: to list the exercises, as
`course status` does, must be quick.
"""
