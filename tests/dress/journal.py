"""The ways in which journalctl shows what a kernel has said: `output_*()` of systemd's logs-show.c.

The modes are those of `output_mode_table` (src/shared/output-mode.c); `cat` is a bare log, and
`with-unit` is `short-full` for lines that are of no unit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from tests.dress.streams import Told
from tests.dress.thread import HOST, Dressing, gaps, per_line

BOOT = "5f3c1c2e9a7d4f0b8e6d1a2b3c4d5e6f"
MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def journal(stamp: Callable[[Told], str], host: str = f"{HOST} ") -> Dressing:
    """The one-line modes, under the head that they have had in one of three wordings."""
    def dress(told: Sequence[Told]) -> list[str]:
        head = f"-- Logs begin at {told[0].wall:%a %Y-%m-%d %H:%M:%S} UTC, end at " \
               f"{told[-1].wall:%a %Y-%m-%d %H:%M:%S} UTC. --" if told else "-- No entries --"
        return [head, *(f"{stamp(each)} {host}kernel: {each.text}" for each in told)]
    return dress


def journal_delta(told: Sequence[Told]) -> list[str]:
    """`-o short-delta`: a blank, or a star where the clock is not to be trusted, ends the delta."""
    return [f"[{each.micros:>12} <{gap:12.6f} >] {HOST} kernel: {each.text}" if nth else
            f"[{each.micros:>12}{'':16}] {HOST} kernel: {each.text}"
            for nth, (each, gap) in enumerate(zip(told, gaps(told)))]


def journal_fields(told: Told) -> dict[str, object]:
    """The fields that systemd-journald keeps of a line of the kernel."""
    wall, own = round(told.wall.timestamp() * 1e6), round(told.uptime * 1e6)
    return {
        "__CURSOR": f"s=9e8d;i={own:x};b={BOOT};m={own:x};t={wall:x};x=1",
        "__REALTIME_TIMESTAMP": str(wall), "__MONOTONIC_TIMESTAMP": str(own), "_BOOT_ID": BOOT,
        "_SOURCE_MONOTONIC_TIMESTAMP": str(own), "_TRANSPORT": "kernel",
        "PRIORITY": str(told.level), "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel",
        "_MACHINE_ID": MACHINE, "_HOSTNAME": HOST, "MESSAGE": told.text,
    }


def journal_json(told: Told) -> str:
    """`-o json`; a message with bytes that are not printable is an array of numbers."""
    fields = journal_fields(told)
    if len(told.text) % 3 == 0:
        fields["MESSAGE"] = list(told.text.encode())
    return json.dumps(fields, separators=(",", ":"))


def journal_pretty(told: Sequence[Told]) -> list[str]:
    """`-o json-pretty`: an object over many lines."""
    return [line for each in told
            for line in json.dumps(journal_fields(each), indent="\t").splitlines()]


def journal_export(told: Sequence[Told]) -> list[str]:
    """`-o export`: systemd's Journal Export Formats, one field a line."""
    return [line for each in told
            for line in (*(f"{name}={text}" for name, text in journal_fields(each).items()), "")]


def journal_verbose(told: Sequence[Told]) -> list[str]:
    """`-o verbose`: a stamp with the cursor, then the fields, indented."""
    return [line for each in told for line in _verbose(each)]


def _verbose(told: Told) -> Iterator[str]:
    fields = journal_fields(told)
    yield f"{told.wall:%a %Y-%m-%d %H:%M:%S.%f} UTC [{fields['__CURSOR']}]"
    yield from (f"    {name}={text}" for name, text in fields.items() if name[:2] != "__")


JOURNAL: Mapping[str, Dressing] = MappingProxyType({
    "journal-short": journal(lambda told: f"{told.wall:%b %d %H:%M:%S}"),
    "journal-no-hostname": journal(lambda told: f"{told.wall:%b %d %H:%M:%S}", host=""),
    "journal-short-precise": journal(lambda told: f"{told.wall:%b %d %H:%M:%S.%f}"),
    "journal-short-iso": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S}+0000"),
    "journal-short-iso-new": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S}+00:00"),
    "journal-short-iso-precise": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S.%f}+0000"),
    "journal-short-full": journal(lambda told: f"{told.wall:%a %Y-%m-%d %H:%M:%S} UTC"),
    "journal-short-monotonic": journal(lambda told: f"[{told.micros:>12}]"),
    "journal-short-delta": journal_delta,
    "journal-short-unix": journal(lambda told: f"{told.wall.timestamp():.6f}"),
    "journal-json": per_line(journal_json),
    "journal-json-pretty": journal_pretty,
    "journal-json-sse": lambda told: [x for m in told for x in (f"data: {journal_json(m)}", "")],
    "journal-json-seq": per_line(lambda told: f"\x1e{journal_json(told)}"),
    "journal-export": journal_export,
    "journal-verbose": journal_verbose,
})
"""Mode of journalctl → dressing."""
