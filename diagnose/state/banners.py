"""Which release runs: a banner in the logs tells it, and a state file where no banner does.

**Invariant:** a banner wins; a file that tells otherwise is a remark.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.events import Parsed, Remark
from diagnose.state.host import Release, release

PARTS = ("dom0", "xen")


def banners(parsed: Parsed, part: str) -> list[Release]:
    """The releases that the banners of this part tell, in order."""
    return [Release(str(event.fields["release"]), event.line) for event in parsed.events
            for term in event.proofs() if term.name == "banner" and part in term.args
            and "release" in event.fields]


def running(parsed: Parsed, part: str) -> Release | None:
    """The release of the last banner of this part, else that of the state files."""
    told = banners(parsed, part)
    return told[-1] if told else release(parsed.state, part)


def contradictions(parsed: Parsed) -> Iterator[Remark]:
    """State files that tell another release than the last banner does."""
    for part in PARTS:
        told, found = banners(parsed, part), release(parsed.state, part)
        if told and found is not None and told[-1].text != found.text:
            yield Remark("other-release", f"It tells that {part} is {found.text}, and the last "
                         f"banner in the logs ({told[-1].line.input}:{told[-1].line.line}) tells "
                         f"{told[-1].text}. The banner is believed; the file may be of another "
                         "boot.", found.line.input, found.line.line)
