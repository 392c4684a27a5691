"""Fernhill's index and service on Ray: work that survives a dead worker, replica or node.

    from helpers.scale import start_ray

    ray = start_ray()                        # Ray and Serve on loopback, once a process
    url = ray.serve(Shop.bind(), name="shop")
    ...
    ray.stop()                               # also done when the process ends

What cannot be started or reached raises `RayError`, in one sentence that says what to do next.
"""

from helpers.scale.cluster import RunningRay, join_ray, start_ray
from helpers.scale.errors import ClusterError, DeploymentError, RayError

__all__ = ["ClusterError", "DeploymentError", "RayError", "RunningRay", "join_ray", "start_ray"]
