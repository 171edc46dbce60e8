"""Add up the distances by which `dmesg --reltime` tells the time.

Such a log names a minute now and then, and for the other lines the seconds since the line before.
Source: print_record() of util-linux sys-utils/dmesg.c.

**Invariant:** a sum holds within the minute that was named last, and is told as coarse as that.
"""
from __future__ import annotations

from msgspec.structs import replace

from diagnose.envelope import Envelope
from diagnose.events import Stamp
from diagnose.stamps import stamp

MINUTE_SECONDS = 60.0


class Relative:
    """The time that the distances of one input have come to."""

    def __init__(self) -> None:
        self._wall: float | None = None

    def stamp(self, envelope: Envelope) -> Stamp:
        """The stamp of the envelope of a record whose distance has been seen."""
        when = stamp(envelope)
        if self.tells(envelope):
            return replace(when, wall=self._wall, coarse=MINUTE_SECONDS)
        return when

    @staticmethod
    def tells(envelope: Envelope) -> bool:
        """Whether a line tells a distance, or the minute from which distances count."""
        return "delta" in envelope.told or "month_day" in envelope.told

    def see(self, envelope: Envelope) -> bool:
        """Add the distance that a line tells, or begin anew with its minute; whether it tells one.
        """
        if not self.tells(envelope):
            return False
        if "month_day" in envelope.told:
            minute = stamp(envelope).wall
            before = self._wall
            inside = minute is not None and before is not None and \
                0 <= before - minute < MINUTE_SECONDS
            self._wall = before if inside else minute
        elif self._wall is not None:
            self._wall += float(envelope.told["delta"].strip(" +"))
        return True
