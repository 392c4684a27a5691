"""Module 06, Scale with Ray: five exercises, from a pool of actors to a service that survives.

Ray takes seconds to import, so a case imports it, and the modules that use it, when it runs: to
list the exercises, as `course status` does, must not take seconds.
"""

import os

# Ray reads this when it is imported first: by this name it has the switch with which all its parts
# listen on loopback alone.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
