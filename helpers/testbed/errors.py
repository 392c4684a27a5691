"""What is raised when the testbed itself fails."""


class TestbedError(RuntimeError):
    """The course's own equipment failed, not the code that was tried with it.

    A port could not be had, a process did not start, no request of a load reached its server. The
    message says what to do next.
    """

    __test__ = False  # pytest collects classes whose names begin with "Test"
