"""One given input in, the logs inside of it out, one after the other.

A plain log comes out as it went in. A compressed one comes out plain, an archive or a directory as
its members, and archives inside of archives likewise.

**Invariant:** what comes out has to be read before the next is asked for; nothing is kept of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import BufferedReader

from msgspec.structs import replace

from diagnose.bundle import folder
from diagnose.bundle.caps import DEPTH_MAX, MEMBERS_MAX
from diagnose.bundle.member import Capped, Member
from diagnose.bundle.names import shown
from diagnose.bundle.table import Role, role_of
from diagnose.events import LeftOut, Remark
from diagnose.lines import is_text
from diagnose.reader import Input, opened, unreadable
from diagnose.unpack import LimitError, Meter, Stream, unpacked

Found = Input | LeftOut | Remark

TAR_SUM = slice(148, 156)
"""Where a tar tells the sum of its first header, in digits (POSIX.1-1988, ustar)."""
ZIP_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
"""The header of a zip's first member, or the end of an empty one (APPNOTE.TXT 4.3)."""


def unfold(source: Input) -> Iterator[Found]:
    """The logs in an input, what is left out of it and why, and what has to be said of it.

    Raises InputError if the input itself cannot be read.
    """
    meter = Meter()
    try:
        stream = opened(source, meter)
    except IsADirectoryError:
        yield from _folder(source, meter)
        return
    except OSError as error:
        raise unreadable(source, error) from error
    with stream:
        yield from _unfolded(source, stream, meter, 0, None)


def _folder(source: Input, meter: Meter) -> Iterator[Found]:
    root = source.name.rstrip("/") or source.name
    for member in _counted(folder.members(source.path), root, meter):
        if isinstance(member, Remark):
            yield member
            continue
        inside = Input(os.path.join(root, shown(member.name)), member.path, member.open)
        yield from _member(inside, member, Meter(), 0, by_itself=True)


def _counted(found: Iterable[Member | None], name: str,
             meter: Meter) -> Iterator[Member | Remark]:
    """The members until there are too many, or they cannot be read on."""
    try:
        for member in found:
            meter.members += 1
            if meter.members > MEMBERS_MAX:
                raise LimitError(f"holds more than {MEMBERS_MAX} members")
            if member is not None:
                yield member
    except LimitError as error:
        yield Remark("bundle-limit", f"It {error}; the rest was not read.", name)
    except OSError as error:
        yield Remark("damaged-input", f"It is damaged ({error.strerror or error}); what comes "
                     "before was read.", name)


def _member(inside: Input, member: Member, meter: Meter, depth: int,
            by_itself: bool = False) -> Iterator[Found]:
    """What a member holds. One that lies in a directory by itself may be gone back in."""
    role = role_of(member.name)
    if why := member.why or role.why:
        yield LeftOut(inside.name, why)
        return
    try:
        stream = opened(inside, meter if by_itself else Meter())
    except OSError as error:
        yield LeftOut(inside.name, f"out of reach ({error.strerror or error})")
        return
    with stream:
        yield from _unfolded(inside, stream, meter, depth, role)


def _unfolded(source: Input, stream: Stream, meter: Meter, depth: int,
              role: Role | None) -> Iterator[Found]:
    """What a stream holds; `role` is None where the caller has named it."""
    layers: list[str] = []
    while (inside := unpacked(stream, meter)) is not None:
        if len(layers) == DEPTH_MAX:
            yield LeftOut(source.name, f"compressed more than {DEPTH_MAX} times")
            return
        layers.append(inside[0])
        stream = inside[1]
    found = _archived(stream, meter)
    if found is None:
        yield _log(replace(source, compression="+".join(layers)), stream, role)
        return
    if depth == DEPTH_MAX:
        yield LeftOut(source.name, f"an archive in more than {DEPTH_MAX} archives")
        return
    yield from _archive(source, found, meter, depth)


def _archived(stream: Stream, meter: Meter) -> Iterator[Member | None] | None:
    """The members of an archive, None for what is none. No log needs what reads archives."""
    head = stream.head
    if head[TAR_SUM].partition(b"\0")[0].strip().isdigit():
        from diagnose.bundle import tar

        if tar.begins(head):
            return tar.members(stream)
    if head.startswith(ZIP_BEGINS):
        from diagnose.bundle import zips

        return zips.members(stream, meter)
    return None


def _archive(source: Input, found: Iterable[Member | None], meter: Meter,
             depth: int) -> Iterator[Found]:
    met: dict[str, int] = {}
    for member in _counted(found, source.name, meter):
        if isinstance(member, Remark):
            yield member
            continue
        name = shown(member.name)
        met[name] = met.get(name, 0) + 1
        again = f"#{met[name]}" if met[name] > 1 else ""
        inside = Input(f"{source.name}!{name}{again}", f"{source.path}!{name}{again}", member.open)
        yield from _member(inside, member, meter, depth + 1)


def _log(source: Input, stream: Stream, role: Role | None) -> Input | LeftOut:
    """A stream as a log, or why it is none."""
    if role is None:
        return replace(source, open=lambda: BufferedReader(stream))
    if not stream.head:
        return LeftOut(source.name, f"damaged ({stream.failure})" if stream.failure else "empty")
    if not is_text(stream.head):
        return LeftOut(source.name, "no text")
    return replace(source, hint=role.speaker, state=role.state,
                   open=lambda: BufferedReader(Capped(stream, role.cap)))
