"""A case: one incident in one text file, with what a person expects of its diagnosis.

    title: Clean reboot on a shipped kernel
    kernel: el5
    verdict: fault
    finding: stale-vector 0000:01:10.0 entries=0,1,2 domids=2

    -- dom0.log --
    (the log as it stands)
    -- golden.txt --
    (the report as it was last written; only the update switch writes it)

Headers are plain values that a person wrote; logs are kept line for line; the golden report is
derived. `parse_case` and `format_case` are each other's inverse.

**Invariant:** nothing here diagnoses or compares; a file goes in, and a file comes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from diagnose.errors import DataError, InputError, nearest
from diagnose.reader import Input, from_bytes

CASE_BYTES_MAX = 65536
"""A case is cut to what matters; the whole log stays where it came from."""

GOLDEN = "golden.txt"
VERDICTS = ("fault", "healthy", "inconclusive")
QUOTED = ("exactly", "reconstructed")

HEADERS: Mapping[str, str] = MappingProxyType({
    "title": "What happened, in one line.",
    "provenance": "Where the logs come from.",
    "source": "The exact place, such as a comment of a bug report.",
    "quoted": "exactly: the lines stand there so; reconstructed: written after the sources.",
    "kernel": "The kernel row that was true; unknown if nobody knows.",
    "verdict": "What the diagnosis has to say.",
    "finding": "FAULT DEVICE [boot=1] [entries=0,1] [domids=1,2]; a part left out is not compared.",
    "harmless": "RULE [DEVICE]; without a device the rule has to excuse lines of no known device.",
    "prevented_by": "Every kernel row and workaround under which nothing would have happened.",
})
_NEEDED = ("title", "provenance", "quoted", "kernel", "verdict")
_REPEATED = ("finding", "harmless")
_NUMBERS = r"none|\d+(,\d+)*"
_PARTS = {"boot": r"\d+", "entries": _NUMBERS, "domids": _NUMBERS}
_SECTION = re.compile(r"-- ([A-Za-z0-9][A-Za-z0-9._+-]*) --")


class ExpectedFinding(Struct, frozen=True):
    """One expected finding; `entries` and `domids` are None where they are not compared."""

    fault: str
    device: str
    entries: tuple[int, ...] | None = None
    domids: tuple[int, ...] | None = None
    boot: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """The identity of a finding."""
        return self.fault, self.device, self.boot

    def __str__(self) -> str:
        parts = [self.fault, self.device, *([f"boot={self.boot}"] if self.boot else [])]
        for name, numbers in (("entries", self.entries), ("domids", self.domids)):
            if numbers is not None:
                parts.append(f"{name}={','.join(map(str, numbers)) or 'none'}")
        return " ".join(parts)


class ExpectedHarmless(Struct, frozen=True):
    """One expected harmless item; `device` is None where no line tells it."""

    rule: str
    device: str | None = None

    def __str__(self) -> str:
        return f"{self.rule} {self.device}" if self.device else self.rule


class Case(Struct, frozen=True):
    """One case; `logs` are (name, text) pairs in file order, each text ends with a newline."""

    slug: str
    title: str
    provenance: str
    quoted: str
    kernel: str
    verdict: str
    source: str = ""
    findings: tuple[ExpectedFinding, ...] = ()
    harmless: tuple[ExpectedHarmless, ...] = ()
    prevented_by: tuple[str, ...] | None = None
    logs: tuple[tuple[str, str], ...] = ()
    golden: str | None = None

    def inputs(self) -> list[Input]:
        """The logs as inputs under their names, to be diagnosed."""
        return [from_bytes(name, text.encode()) for name, text in self.logs]


def read_case(path: Path) -> Case:
    """The case in the file; its slug is the file's name.

    Raises DataError with file and line, and InputError where the file cannot be read.
    """
    return parse_case(read_text(path), path.stem, path.name)


def read_text(path: Path) -> str:
    """The text of a case's file. Raises DataError for what is no text, or more than a case."""
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= CASE_BYTES_MAX else b""
    except OSError as error:
        raise InputError(f"{path}: the case cannot be read ({error.strerror}). Check the path and "
                         "the permissions.") from error
    if size > CASE_BYTES_MAX:
        raise DataError(path.name, None, f"The case has {size} bytes, and {CASE_BYTES_MAX} are "
                        "allowed. Cut its logs to the lines that matter.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(path.name, line, "This byte is not UTF-8. Write it as text.") from None


def parse_case(text: str, slug: str, file: str = "") -> Case:
    """The case in `text`. Raises DataError that names `file` (default: the slug) and the line."""
    file = file or f"{slug}.case"
    if not text.endswith("\n"):
        raise DataError(file, text.count("\n") + 1, "The last line has no end. End it.")
    lines = text[:-1].split("\n")
    start = lines.index("") if "" in lines else len(lines)
    heads = _headers(lines[:start], file)
    sections = _sections(lines, start + 1, file)
    golden = sections.pop(GOLDEN, None)
    if not sections:
        raise DataError(file, len(lines), "The case has no log. Add a line -- dom0.log -- and it.")
    told = {name: values[0][1] for name, values in heads.items()}
    return Case(
        slug=slug, title=told["title"], provenance=told["provenance"], quoted=told["quoted"],
        kernel=told["kernel"], verdict=told["verdict"], source=told.get("source", ""),
        findings=tuple(_finding(value, file, nr) for nr, value in heads.get("finding", [])),
        harmless=tuple(_harmless(value, file, nr) for nr, value in heads.get("harmless", [])),
        prevented_by=tuple(told["prevented_by"].replace("none", "").split())
        if "prevented_by" in told else None,
        logs=tuple(sections.items()), golden=golden,
    )


def _headers(lines: list[str], file: str) -> dict[str, list[tuple[int, str]]]:
    """Header name → its (line number, value) pairs."""
    found: dict[str, list[tuple[int, str]]] = {}
    for nr, line in enumerate(lines, 1):
        name, colon, value = line.partition(": ")
        if not colon or not value.strip():
            raise DataError(file, nr, f"{line!r} is no header. Write `name: value`, and one empty "
                            "line after the last header.")
        if name not in HEADERS:
            near = " or ".join(nearest(name, tuple(HEADERS), 1) or HEADERS)
            raise DataError(file, nr, f"The header {name!r} does not exist. Did you mean {near}?")
        if name in found and name not in _REPEATED:
            raise DataError(file, nr, f"The header {name!r} stands here twice. Keep one.")
        found.setdefault(name, []).append((nr, value.strip()))
    for name in _NEEDED:
        if name not in found:
            raise DataError(file, 1, f"The header {name!r} is missing. Add it: {HEADERS[name]}")
    for name, known in (("verdict", VERDICTS), ("quoted", QUOTED)):
        nr, value = found[name][0]
        if value not in known:
            raise DataError(file, nr, f"The {name} {value!r} does not exist. Known are: "
                            f"{', '.join(known)}.")
    return found


def _sections(lines: list[str], start: int, file: str) -> dict[str, str]:
    """Section name → text, in file order."""
    found: dict[str, list[str]] = {}
    name = ""
    for nr, line in enumerate(lines[start:], start + 1):
        head = _SECTION.fullmatch(line)
        if head and head[1] in found:
            raise DataError(file, nr, f"The section {head[1]!r} stands here twice. Rename one.")
        if head:
            name = head[1]
            found[name] = []
        elif not name:
            raise DataError(file, nr, f"{line!r} stands before the first section. Headers end with "
                            "one empty line, and a line such as -- dom0.log -- follows.")
        else:
            found[name].append(line)
    return {name: "".join(f"{line}\n" for line in body) for name, body in found.items()}


def _finding(value: str, file: str, nr: int) -> ExpectedFinding:
    fault, *rest = value.split()
    if not rest or "=" in rest[0]:
        raise DataError(file, nr, f"{value!r} names no device. Write: {HEADERS['finding']}")
    parts: dict[str, tuple[int, ...]] = {}
    for part in rest[1:]:
        name, _, numbers = part.partition("=")
        if name not in _PARTS or not re.fullmatch(_PARTS[name], numbers):
            raise DataError(file, nr, f"{part!r} is no part of a finding. Write: "
                            f"{HEADERS['finding']}")
        parts[name] = () if numbers == "none" else tuple(map(int, numbers.split(",")))
    boot = parts.get("boot", (0,))[0]
    return ExpectedFinding(fault, rest[0], parts.get("entries"), parts.get("domids"), boot)


def _harmless(value: str, file: str, nr: int) -> ExpectedHarmless:
    words = value.split()
    if len(words) > 2:
        raise DataError(file, nr, f"{value!r} has too many words. Write: {HEADERS['harmless']}")
    return ExpectedHarmless(*words)


def with_golden(text: str, golden: str, file: str) -> str:
    """The case's `text` with another golden report; every other character stays as it is.

    Raises DataError if a line of the report looks like the beginning of a section.
    """
    body = golden.removesuffix("\n").split("\n")
    for nr, line in enumerate(body, 1):
        if _SECTION.fullmatch(line):
            raise DataError(file, None, f"Line {nr} of the report, {line!r}, would begin a "
                            "section. Cut the log line that it quotes out of the case.")
    lines = text.removesuffix("\n").split("\n")
    heads = [(nr, head[1]) for nr, line in enumerate(lines) if (head := _SECTION.fullmatch(line))]
    start = next((nr for nr, name in heads if name == GOLDEN), len(lines))
    end = next((nr for nr, _ in heads if nr > start), len(lines))
    return "\n".join([*lines[:start], f"-- {GOLDEN} --", *body, *lines[end:], ""])


def format_case(case: Case) -> str:
    """The file's text. Raises DataError if a log holds a line that looks like a section."""
    heads = [
        ("title", case.title), ("provenance", case.provenance), ("source", case.source),
        ("quoted", case.quoted), ("kernel", case.kernel), ("verdict", case.verdict),
        *(("finding", str(each)) for each in case.findings),
        *(("harmless", str(each)) for each in case.harmless),
    ]
    if case.prevented_by is not None:
        heads.append(("prevented_by", " ".join(case.prevented_by) or "none"))
    text = "".join(f"{name}: {value}\n" for name, value in heads if value) + "\n"
    golden = [(GOLDEN, case.golden)] if case.golden is not None else []
    for name, body in (*case.logs, *golden):
        if not _SECTION.fullmatch(f"-- {name} --") or (body and not body.endswith("\n")):
            raise DataError(case.slug, None, f"The log {name!r} cannot be a section: its name has "
                            "odd characters, or its last line has no end.")
        for nr, line in enumerate(body.split("\n"), 1):
            if _SECTION.fullmatch(line):
                raise DataError(name, nr, f"{line!r} would begin a section. Cut it out.")
        text += f"-- {name} --\n{body}"
    return text
