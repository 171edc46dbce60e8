"""What lies in a directory and below, in the order in which people count.

**Invariant:** nothing outside of the directory is read, and nothing in it that is no file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from io import BufferedReader

from diagnose.bundle.caps import FOLDER_DEPTH_MAX
from diagnose.bundle.member import Member, closed
from diagnose.bundle.names import natural


def members(root: str) -> Iterator[Member]:
    """The files, and what is no file or directory, with paths below the root."""
    links: list[Member] = []
    seen: set[str] = set()
    for member in _below(root, "", 0):
        if os.path.islink(os.path.join(root, member.name)):
            links.append(member)
        else:
            if not member.why:
                seen.add(member.path)
            yield member
    yield from (_linked(root, link, seen) for link in links)


def _linked(root: str, link: Member, seen: set[str]) -> Member:
    """A link to what nothing else in the directory shows is read, unless it leads outside."""
    target = os.path.realpath(os.path.join(root, link.name))
    inside = os.path.join(target, "").startswith(os.path.join(os.path.realpath(root), ""))
    why = ("a link to something outside" if not inside else link.why or (
        "a link to what lies there itself" if target in seen else ""))
    return Member(link.name, target, closed if why else link.open, why)


def _below(root: str, under: str, depth: int) -> Iterator[Member]:
    try:
        with os.scandir(os.path.join(root, under)) as entries:
            found = sorted(entries, key=lambda each: natural(each.name))
    except OSError as error:
        yield Member(under, under, closed, f"out of reach ({error.strerror})")
        return
    for item in found:
        name = os.path.join(under, item.name)
        if item.is_dir(follow_symlinks=False) and not item.name.startswith("."):
            if depth < FOLDER_DEPTH_MAX:
                yield from _below(root, name, depth + 1)
            else:
                yield Member(name, name, closed, f"more than {FOLDER_DEPTH_MAX} directories deep")
        else:
            yield _member(item, name)


def _member(item: os.DirEntry[str], name: str) -> Member:
    path = os.path.realpath(item.path)
    why = "hidden" if item.name.startswith(".") else _why(item)
    return Member(name, path, closed if why else partial(_opened, item.path), why)


def _opened(path: str) -> BufferedReader:
    return open(path, "rb")     # closed by whoever reads it


def _why(item: os.DirEntry[str]) -> str:
    try:
        told = item.stat()
    except OSError as error:
        return f"out of reach ({error.strerror})"
    if not stat.S_ISREG(told.st_mode):
        return kind(told.st_mode)
    # Files of /proc and /sys have no size either, and some of them never end.
    return "" if told.st_size else "empty"


def kind(mode: int) -> str:
    """What something is that is no regular file."""
    kinds = ((stat.S_ISDIR, "a link to a directory"), (stat.S_ISFIFO, "a pipe"),
             (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "no regular file")
