"""The error that says: the course's own equipment failed, and not what a learner wrote."""


class EquipmentError(RuntimeError):
    """A server, a port or another part that the course brings did not work.

    A check that meets it runs the case once more, and then says that the course is at fault; it
    records nothing against the learner.
    """


class MissingEquipmentError(EquipmentError):
    """A program that does not come with the course is not on this machine.

    The message says how to install it. A check that meets it says so, and records nothing.
    """
