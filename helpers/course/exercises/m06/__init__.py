"""Module 06, Scale with Ray: five exercises, from a pool of actors to a service that survives.

Ray takes seconds to import, so a case imports it, and the modules that use it, when it runs: to
list the exercises, as `course status` does, must not take seconds.
"""
