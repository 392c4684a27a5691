"""Module 06, Scale with Ray: five exercises, from an actor pool to a service that survives.

Ray takes seconds to import, so a case imports it when it needs it: to list the exercises, as
`course status` does, must be quick.
"""

import os

# Ray reads them when it is imported: it listens on loopback, and reports nothing.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
