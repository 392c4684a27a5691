"""What is raised when the testbed itself fails."""

from helpers.faults import EquipmentError


class TestbedError(EquipmentError):
    """A port was not free, a process did not start, no request of a load reached its server.

    The message says what to do next.
    """

    __test__ = False  # pytest collects classes whose names begin with "Test"


class DidNotStart(TestbedError):  # noqa: N818 - named after what happened
    """A process ended, or did not answer in time; the message repeats its last output.

    Where the process runs a learner's code the fault is the learner's: an exercise catches this
    error and says so.
    """
