"""Makes, keeps and checks incidents one by one, and says of each what a row needs.

**Invariant:** what is written depends on the seed, the number and the choices alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from diagnose.errors import InputError, UsageError
from diagnose.synth.check import check
from diagnose.synth.choices import Choices
from diagnose.synth.incident import LABEL, make


class Order(Struct, frozen=True):
    """What is to be done with each incident: written below `folder`, unless None; checked."""

    seed: int
    choices: Choices
    folder: str | None = None
    checked: bool = False


class Made(Struct, frozen=True):
    """An incident as a row tells it.

    `happened` are (fault, on how many devices, whether all of them can be known); `result` is empty
    if nothing was checked.
    """

    name: str
    row: str
    kept: str
    happened: Sequence[tuple[str, int, bool]] = ()
    host_died: bool = False
    files: int = 0
    result: str = ""
    differences: Sequence[str] = ()


def prepare(order: Order) -> None:
    """Make the directory that takes incidents.

    Raises UsageError if nothing would come of the order or the directory has no name, InputError
    unless it is new or empty.
    """
    folder = order.folder
    if folder == "":
        raise UsageError("OUT is empty; give the name of a new or an empty directory.")
    if folder is None:
        if not order.checked:
            raise UsageError("Say where: `diagnose synth OUT` writes there, `--check` diagnoses"
                             " what was made, and `--list` lists the kinds of stories.")
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        full = any(Path(folder).iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if full:
        raise InputError(f"{folder}: the directory is not empty; incidents are written into a new"
                         " or an empty one, so that nothing else is taken for one.")


def made(order: Order, nth: int) -> Made:
    """The nth incident, written and checked as ordered.

    Raises UsageError if no story fits the choices, InputError if it cannot be written.
    """
    incident = make(order.seed, nth, order.choices)
    if order.folder is not None:
        try:
            incident.save(Path(order.folder) / incident.name)
        except OSError as error:
            raise _unwritable(order.folder, error) from error
    told = check(incident) if order.checked else None
    expected = incident.expected
    must = {(each["fault"], each["device"]) for each in expected["must"]}
    may = [(fault, device) for fault, device in expected["may"]]
    counts = {fault: [each in must for each in may if each[0] == fault] for fault, _ in may}
    return Made(
        incident.name,
        expected["kernel"],
        _kept(expected["env"], expected["view"], expected["lose"]),
        [(fault, len(known), all(known)) for fault, known in counts.items()],
        expected["host_died"] is not None,
        len(incident.texts),
        told.result if told else "",
        told.differences if told else (),
    )


def written(folder: str) -> int:
    """How many incidents lie below the folder, each with its label. Raises InputError."""
    try:
        return sum((each / LABEL).is_file() for each in Path(folder).iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error


def killed(order: Order, nth: int) -> Made:
    """An incident whose diagnosis killed its process, perhaps for lack of memory."""
    blank = made(Order(order.seed, order.choices), nth)
    return Made(blank.name, blank.row, blank.kept, blank.happened, blank.host_died,
                blank.files, "broken", ("broken: the process was killed",))


def _kept(env: str, view: Sequence[str], lose: float) -> str:
    words = [env, *(each for each in view if each not in ("full", "lossy"))]
    return ", ".join([*words, f"{lose:.0%} lost"] if lose else words)


def _unwritable(folder: str, error: OSError) -> InputError:
    return InputError(f"{folder}: incidents cannot be written there: {error.strerror}.")
