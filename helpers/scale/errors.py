"""What is raised when Ray, or what runs on it, does not work."""

from helpers.faults import EquipmentError


class RayError(RuntimeError):
    """Something about a cluster or an application on it; the message says what to do next."""


class ClusterError(RayError, EquipmentError):
    """A cluster did not start or cannot be reached: the machine or its settings are at fault."""


class DeploymentError(RayError):
    """An application did not start; the message repeats the last line of its error."""
