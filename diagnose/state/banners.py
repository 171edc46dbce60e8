"""Which release runs: a banner in the logs tells it, and a state file where no banner does.

**Invariant:** a banner wins; a file that tells otherwise is a remark.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.events import Parsed, Remark
from diagnose.state.host import Release, installed, release

PARTS = ("dom0", "xen")


def banners(parsed: Parsed) -> list[tuple[str, Release]]:
    """The part and the release that each banner of dom0 and of Xen tells, in order."""
    return [(part, Release(str(event.fields["release"]), event.line))
            for event in parsed.telling("banner") if "release" in event.fields
            for term in event.proofs() if term.name == "banner"
            for part in PARTS if part in term.args]


def _last(parsed: Parsed, part: str) -> Release | None:
    return next((told for each, told in reversed(banners(parsed)) if each == part), None)


def running(parsed: Parsed, part: str) -> Release | None:
    """The release of the last banner of this part, else that of the state files."""
    return _last(parsed, part) or release(parsed.state, part)


def contradictions(parsed: Parsed) -> Iterator[Remark]:
    """State files that tell another release than the last banner does, and what an installed
    package stands in for.
    """
    for part in PARTS:
        told, found = _last(parsed, part), release(parsed.state, part)
        if found == installed(parsed.state):
            continue    # another kernel was installed since; nothing tells that it runs
        if told is not None and found is not None and told.text != found.text:
            yield Remark("other-release", f"It tells that {part} is {found.text}, and the last "
                         f"banner in the logs ({told.line.input}:{told.line.line}) tells "
                         f"{told.text}. The banner is believed; the file may be of another "
                         "boot.", found.line.input, found.line.line)
    package = installed(parsed.state)
    if package is not None and _last(parsed, "dom0") is None:
        yield Remark("installed-release", "No banner and no uname tells which kernel dom0 ran. "
                     f"Only one for Xen is installed, {package.text}, so it is taken to be that.",
                     package.line.input, package.line.line)
