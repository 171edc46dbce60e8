"""Finds incidents: which files belong together, and which are none of a log's business.

- A file is an incident of its own where it is named, and where it lies beside directories of logs.
- A directory of which no sub-directory holds a log is one incident, made of all its logs.
- In any other directory each sub-directory is looked at in the same way.
- A `*.case` file is an incident of its own everywhere, and so is an archive, or what was unpacked
  from a sosreport or a status report.

Inside directories, hidden files and those whose names say that they are no logs are left out; so
are devices, pipes and links to directories, which could lead round in a circle. Settings are read
beside logs if they are state files, and are no incident by themselves.

**Invariant:** nothing is opened here but directories, and what is found depends neither on the
order of the paths nor on that of the disk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from msgspec import Struct, field

from diagnose.bundle.folder import kind
from diagnose.events import LeftOut, Remark
from diagnose.reader import from_path

CASE = ".case"
DEPTH_MAX = 32
"""Directories nested deeper are not entered, and a remark tells."""

PACKED = frozenset((".gz", ".bz2", ".xz", ".zst", ".lz4"))
ARCHIVES = frozenset((".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".zip"))
BUNDLES = frozenset(("sos_commands", "sos_reports", "inventory.xml"))
"""What lies in every sosreport, or in every status report of XenServer, and nowhere else."""
NO_LOGS = frozenset(
    f".{suffix}" for suffix in
    "json yaml yml toml ini xml html htm css js csv md rst pdf png jpg jpeg gif svg webp "
    "py pyc sh pl c h o so diff patch 7z rpm deb iso img qcow2 db sqlite pcap "
    "sig asc md5 sha256 lock pid swp".split()
)
"""Endings that no log has; a compressed file is judged by the ending before its own."""
SETTINGS = frozenset((".cfg", ".conf"))


class Incident(Struct, frozen=True):
    """What is diagnosed at once. `name` is a path as it was given, or one below that.

    `paths` are its logs in order, or its one case; `settings` lie beside them and may be state
    files. `error` says why there is nothing to read.
    """

    name: str
    paths: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    error: str = ""

    @property
    def shown(self) -> str:
        """The name as it is shown: bytes that are no UTF-8 are escapes."""
        return from_path(self.name).name

    @property
    def case(self) -> bool:
        """Whether it is a case file, which holds its logs inside."""
        return self.paths == (self.name,) and self.name.endswith(CASE)


class _Folder(Struct):
    """What lies in one directory; `alone` is what is an incident by itself, `below` are those of
    its sub-directories.
    """

    path: str
    logs: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    below: list[Incident] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def find(paths: Sequence[str]) -> tuple[list[Incident], list[Remark]]:
    """The incidents in `paths`, ordered by name, each once, with remarks on what was passed over.

    A path that cannot be an incident is one with an `error`, so that it is told in its place.
    """
    remarks: list[Remark] = []
    found: dict[str, Incident] = {}
    given = [incident for path in paths for incident in _named(_shortened(path), remarks)]
    for incident in sorted(given, key=_place):
        first = found.setdefault(os.path.realpath(incident.name), incident)
        if first is not incident:
            again = "" if incident.name == first.name else f" as {incident.shown}"
            remarks.append(Remark("given-twice", f"It is given again{again}; it was judged once.",
                                  first.shown))
    return list(found.values()), remarks


def _place(incident: Incident) -> tuple[tuple[str, ...], str]:
    return PurePath(incident.name).parts, incident.name


def _shortened(path: str) -> str:
    return path.rstrip("/") or path


def _named(path: str, remarks: list[Remark]) -> list[Incident]:
    """The incidents of a path that the caller named: it exists, or is told as an error."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return [Incident(path, error=f"It cannot be read ({error.strerror}).")]
    if stat.S_ISREG(mode):
        return [Incident(path, (path,))]
    if not stat.S_ISDIR(mode):
        return [Incident(path, error=f"It is {kind(mode)}; give such a thing to `diagnose log`.")]
    return _directory(path, 0, remarks) or [
        Incident(path, error="It holds nothing that looks like a log.")]


def _directory(path: str, depth: int, remarks: list[Remark]) -> list[Incident]:
    if depth > DEPTH_MAX:
        return [Incident(path, error=f"It lies more than {DEPTH_MAX} directories deep.")]
    folder = _Folder(path)
    try:
        with os.scandir(path) as items:
            found = sorted(items, key=lambda each: each.name)
        if not BUNDLES.isdisjoint(item.name for item in found):
            return [Incident(path, (path,))]
        for item in found:
            _put(item, folder, depth, remarks)
    except OSError as error:
        return [Incident(path, error=f"It cannot be read ({error.strerror}).")]
    return list(_grouped(folder))


def _grouped(folder: _Folder) -> Iterator[Incident]:
    yield from folder.below
    yield from (Incident(path, (path,)) for path in folder.alone)
    if any(incident.paths for incident in folder.below):
        yield from (Incident(log, (log,)) for log in folder.logs)
    elif folder.logs:
        yield Incident(folder.path, tuple(folder.logs), tuple(folder.settings),
                       tuple(folder.left_out))


def _put(item: os.DirEntry[str], folder: _Folder, depth: int, remarks: list[Remark]) -> None:
    """Put what lies in a directory where it belongs."""
    name = from_path(item.path).name
    if item.name.startswith("."):
        folder.left_out.append(LeftOut(name, "hidden"))
    elif why := _refused(item):
        folder.left_out.append(LeftOut(name, why))
        remarks.append(Remark("left-out", f"It is {why}; it was not read.", name))
    elif item.is_dir():
        folder.below += _directory(item.path, depth + 1, remarks)
    elif item.name.endswith(CASE) or _ending(item.name) in ARCHIVES:
        folder.alone.append(item.path)
    elif _ending(item.name) in SETTINGS:
        folder.settings.append(item.path)
    elif _is_no_log(item.name):
        folder.left_out.append(LeftOut(name, "its name says that it is no log"))
    else:
        folder.logs.append(item.path)


def _refused(item: os.DirEntry[str]) -> str:
    """Why something in a directory is not even looked at; empty for files and directories."""
    try:
        mode = item.stat().st_mode
    except OSError as error:
        return f"out of reach ({error.strerror})"
    if stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and not item.is_symlink()):
        return ""
    return kind(mode)


def _is_no_log(name: str) -> bool:
    return name.endswith("~") or _ending(name) in NO_LOGS


def _ending(name: str) -> str:
    """The ending of a name, without that of a packer behind it."""
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
