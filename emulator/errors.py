"""How an operation can end without doing anything, and how it can end everything.

A kernel function's own error is a negative errno and no exception.  What stands here is said
outside the kernels: nobody is there to ask for it, or the hypervisor does not live to answer.

**Invariant:** only names endings; knows no operation.
"""

from __future__ import annotations

from enum import Enum


class ImpossibleError(Exception):
    """Something that cannot happen in this state; the text says why."""


class Refusal(Enum):
    """Why an operation does not even begin; the value is the reason in words."""

    NO_PCIBACK = "pciback is not loaded"
    DEVICE_ABSENT = "the device does not exist"
    DEVICE_PRESENT = "the device exists already"
    DRIVER_BOUND = "the device has a driver already"
    NO_DRIVER = "the device has no driver"
    NOT_SEIZED = "pciback does not hold the device"
    ALREADY_ASSIGNED = "the device is listed for a domain already"
    DOMID_USED = "a domain has or had this domid"
    NOT_RUNNING = "no such domain runs, or not of the kind that does this"
    NOT_HELD = "nobody holds a reference to a domain that was killed"
    BACKEND_EXISTS = "the domain has a pciback backend already"
    NO_BACKEND = "the domain has no pciback backend"
    DEVICE_UNKNOWN = "the guest does not know the device"
    NO_ANSWER = "nobody answers the guest: its ring is not mapped"


class RefusedError(ImpossibleError):
    """An operation that did not begin, and the reason."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class CrashError(ImpossibleError):
    """The operation ends in a fatal error of the hypervisor: `who` died and `what` it says."""

    def __init__(self, who: str, what: str) -> None:
        super().__init__(f"{who} dies: {what}")
        self.who = who
        self.what = what
