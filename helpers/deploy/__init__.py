"""Image and manifests of the service: build them, check them, roll them out.

    from helpers.deploy import check_folder

    for finding in check_folder("k8s/overlays/prod"):
        print(finding)

`check_objects` does the same with objects that a notebook holds in memory. What cannot be read at
all raises `ManifestError`, in one sentence that says what to do next.
"""

from helpers.deploy.check import check_folder, check_objects
from helpers.deploy.finding import Finding
from helpers.deploy.sources import ManifestError

__all__ = ["Finding", "ManifestError", "check_folder", "check_objects"]
