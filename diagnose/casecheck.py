"""Tries a case: diagnoses its logs and holds the report against what a person wrote down.

The command `diagnose rules test`, the plugin for pytest and this project's own tests all come here,
so that a case means the same to each of them.

**Invariant:** headers and logs of a case are never written, and its golden report only if the
headers are right.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec.structs import replace

from diagnose.casefile import (
    GOLDEN,
    Case,
    ExpectedFinding,
    ExpectedHarmless,
    parse_case,
    read_text,
    with_golden,
)
from diagnose.diagnosis import Diagnosis
from diagnose.errors import DiagnoseError, InputError
from diagnose.options import Options
from diagnose.outcome import CaseState, Difference, Tried
from diagnose.pipeline import diagnose
from diagnose.render import render
from diagnose.render.paper import Style

SUFFIX = ".case"
GOLDEN_WIDTH = 100
"""Columns of a golden report, whatever the terminal."""

NOTE_NONE = "There is no golden report; updating writes it."
NOTE_DIFFERS = "The headers are right, and the report reads differently. Update it if it is right."
NOTE_KEPT = ("The golden report was left as it is: a report that contradicts the headers is none "
             "to keep. Mend the rule, or the header by hand if the report is right.")
NOTE_WRITTEN = "The golden report was written."


def find_cases(paths: Sequence[str], pattern: str = "") -> list[Path]:
    """The case files named, and those anywhere in the directories named; sorted, each once.

    `pattern` has to occur in a case's name, upper or lower; ``* ? [`` are wild cards. Hidden
    directories and links to directories are not entered. Raises InputError for a path that is
    neither a case file nor a directory, and if no case is left.
    """
    found: dict[str, Path] = {}
    for path in (path for name in paths for path in _cases(name)):
        if fnmatchcase(path.stem.lower(), f"*{pattern.lower()}*"):
            found.setdefault(os.path.realpath(path), path)
    if not found:
        fitting = f" whose name holds {pattern!r}" if pattern else ""
        raise InputError(f"{', '.join(paths)}: there is no case (*{SUFFIX}){fitting}.")
    return sorted(found.values())


def _cases(name: str) -> Iterator[Path]:
    if os.path.isfile(name) and name.endswith(SUFFIX):
        yield Path(name)
    elif os.path.isdir(name):
        for directory, below, files in os.walk(name):
            below[:] = [each for each in below if not each.startswith(".")]
            yield from (path for file in files if file.endswith(SUFFIX) and not file.startswith(".")
                        and (path := Path(directory, file)).is_file())
    else:
        raise InputError(f"{name}: this is neither a directory nor a file called *{SUFFIX}.")


def attempt(path: Path, options: Options | None = None, update: bool = False) -> Tried:
    """Try the case in the file as :func:`check` does; what keeps it from that is the result."""
    began = time.perf_counter()
    try:
        return check(path, options, update)
    except DiagnoseError as error:
        return Tried(str(path), "unreadable", time.perf_counter() - began, error=str(error))


def killed(path: Path) -> Tried:
    """What is known of a case when the process that tried it was killed."""
    return Tried(str(path), "unreadable", error="The process that tried this case was killed, "
                 "perhaps for lack of memory. Try the case alone, with --jobs 1.")


def check(path: Path, options: Options | None = None, update: bool = False) -> Tried:
    """Try the case in the file; with `update` write its golden report if only that is different.

    Raises DataError for a mistake in the file and whatever diagnosing its logs raises.
    """
    began = time.perf_counter()
    text = read_text(path)
    case = parse_case(text, path.stem, path.name)
    report = diagnose(case.inputs(), options)
    told = differences(case, report)
    now = golden(report)
    diff = tuple(unified_diff((case.golden or "").splitlines(), now.splitlines(), GOLDEN,
                              "the report now", lineterm="")) if case.golden is not None else ()
    state, note = _judged(bool(told), case.golden, now, update)
    if state == "updated":
        _write(path, with_golden(text, now, path.name))
    return Tried(str(path), state, time.perf_counter() - began, tuple(told), diff, fired(report),
                 note)


def _judged(wrong: bool, before: str | None, now: str, update: bool) -> tuple[CaseState, str]:
    """The state of a case and its note."""
    same = before == now
    if wrong:
        return "failed", NOTE_KEPT if update and not same else ""
    if same:
        return "passed", ""
    if update:
        return "updated", NOTE_WRITTEN
    return ("passed", NOTE_NONE) if before is None else ("failed", NOTE_DIFFERS)


def _write(path: Path, text: str) -> None:
    """Replace the file in one step, so that no interruption costs what a person wrote."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fresh.write_bytes(text.encode())
        shutil.copymode(target, fresh)
        os.replace(fresh, target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise InputError(f"{path}: the golden report cannot be written ({error.strerror}).") \
            from error


def golden(report: Diagnosis) -> str:
    """The text report as a case keeps it: without the line that names the program's version."""
    lines = render(report, "text", Style(width=GOLDEN_WIDTH)).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines if not line.startswith(" report "))


def fired(report: Diagnosis) -> tuple[str, ...]:
    """The ids of the rules that made a finding or excused a line, sorted."""
    return tuple(sorted({each.rule for each in report.findings}
                        | {each.rule for each in report.harmless}))


def coverage(tried: Iterable[Tried], known: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of the rules `known`: those that fired in no case, and those that were silent in none."""
    seen = [set(each.fired) for each in tried if each.state != "unreadable"]
    return ([each for each in known if not any(each in fired for fired in seen)],
            [each for each in known if all(each in fired for fired in seen)])


# --- Headers against the report ------------------------------------------------------------------


def differences(case: Case, report: Diagnosis) -> list[Difference]:
    """Every header that the report contradicts, and every one that it lacks; in header order."""
    told = [Difference("verdict", case.verdict, report.verdict)] \
        if report.verdict != case.verdict else []
    told += _findings(case, report)
    excused = {ExpectedHarmless(each.rule, each.device) for each in report.harmless}
    wanted = set(case.harmless)
    told += [Difference("harmless", str(each), "") for each in sorted(wanted - excused, key=str)]
    told += [Difference("harmless", "", str(each)) for each in sorted(excused - wanted, key=str)]
    if case.prevented_by is not None:
        saving = sorted(each.assume for each in report.whatif if each.removes and not each.leaves)
        if saving != sorted(case.prevented_by):
            told.append(Difference("prevented_by", " ".join(case.prevented_by) or "none",
                                   " ".join(saving) or "none"))
    return told


def _findings(case: Case, report: Diagnosis) -> Iterator[Difference]:
    """Findings by identity; of one that is expected, the parts that its header tells."""
    found = {(each.fault, each.device, each.boot): ExpectedFinding(
        each.fault, each.device, each.entries, each.domids, each.boot) for each in report.findings}
    for wanted in case.findings:
        got = found.pop(wanted.key, None)
        if got is not None:
            got = replace(got, entries=got.entries if wanted.entries is not None else None,
                          domids=got.domids if wanted.domids is not None else None)
        if got != wanted:
            yield Difference("finding", str(wanted), str(got or ""))
    for got in found.values():
        yield Difference("finding", "", str(got))
