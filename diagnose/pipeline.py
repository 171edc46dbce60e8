"""The table of contents of the program: paths in, diagnosis out.

    read → split → parse → weave → assemble → replay → match → conclude

**Invariant:** only the order of the stages is decided here.
"""
from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from diagnose import assignments, conclude, recommend, unmodelled
from diagnose.clocks import Clocks, clocks
from diagnose.diagnosis import (
    Diagnosis,
    Exposure,
    Finding,
    How,
    InputReport,
    KernelParts,
    KernelReport,
    Missing,
    ToolReport,
    Verdict,
)
from diagnose.errors import UsageError
from diagnose.events import Parsed, Remark
from diagnose.exposure import exposure
from diagnose.fixes import load_fixes
from diagnose.hazards import load_hazards
from diagnose.misread import misread, overflows, to_collect
from diagnose.options import Options
from diagnose.parse import parse
from diagnose.reader import Input
from diagnose.replay import Replay, replay
from diagnose.rules import Rule, load_rules
from diagnose.state import banners
from diagnose.state.addresses import addressed
from diagnose.state.banners import running
from diagnose.state.contradict import contradictions
from diagnose.state.host import of_this_host
from diagnose.timeline import Timeline, assemble
from diagnose.unmodelled import Beyond, beyond
from diagnose.weave import ordered, weave
from emulator.kernels import ROWS, Row, distance, row
from emulator.pci import PciAddress


class Seen(Struct, frozen=True):
    """What reading, assembling and replaying the logs of one incident has brought."""

    parsed: Parsed
    timeline: Timeline
    played: Replay
    release: str | None        # of dom0, as the last banner tells it, or else a state file
    clocks: Clocks
    beyond: Beyond | None      # why no kernel row describes the host, if none does


def diagnose(paths: Sequence[str | Path | Input], options: Options | None = None) -> Diagnosis:
    """Diagnose the logs of one incident of one host: paths, or inputs that are at hand.

    Raises UsageError for what the caller can mend (an unknown kernel row, logs of two hosts) and
    InputError if no input can be read.
    """
    options = options or Options()
    return _reported(seen(paths, options), options)


def seen(paths: Sequence[str | Path | Input], options: Options) -> Seen:
    """Read, split, parse, assemble and replay: what every report on one incident begins with."""
    rows: Sequence[Row] = (row(options.kernel),) if options.kernel else ROWS
    given = [each if isinstance(each, Input) else str(each) for each in paths]
    parsed = ordered(of_this_host(parse(given, options)))
    _one_host(parsed)
    times = clocks(parsed)
    parsed = addressed(weave(parsed))
    why = None if options.kernel else beyond(parsed)
    timeline = assemble(parsed if why is None else replace(parsed, events=()), times)
    told = running(parsed, "dom0")
    release = told.text if told is not None else None
    return Seen(parsed, timeline, replay(timeline, _build(release), rows), release, times, why)


def _reported(found: Seen, options: Options) -> Diagnosis:
    parsed, timeline, played = found.parsed, found.timeline, found.played
    rules = rules_for(options)
    if found.beyond is not None:
        bare = Diagnosis(tool=tool_report(rules), inputs=input_reports(parsed),
                         verdict="inconclusive", kernel=kernel_report(found, options),
                         coverage=parsed.coverage, clocks=found.clocks.reports,
                         left_out=parsed.left_out)
        return _narrowed(unmodelled.report(bare, parsed, found.beyond), options.device)
    made = conclude.conclude(rules, played)
    steps, story = made.steps, played.best
    keys = frozenset(made.ids)
    trials = recommend.trials(rules, steps, story.row) if steps else []
    advice = recommend.recommendations(rules, steps, story.row, trials, keys)
    held = assignments.holds(steps, made.troubled())
    made.divergences += (*misread(parsed), *contradictions(parsed, played))
    overflow = tuple(overflows(parsed))
    verdict = _verdict(made, held, bool(overflow))
    findings = tuple(replace(f, fixes=tuple(r.fix for r in advice if r.sufficient))
                     for f in made.findings)
    kernel = kernel_report(found, options)
    report = Diagnosis(
        tool=tool_report(rules), inputs=input_reports(parsed), verdict=verdict, kernel=kernel,
        coverage=parsed.coverage, findings=findings, harmless=tuple(made.harmless),
        suspicions=tuple(made.suspicions), divergences=tuple(made.divergences),
        assignments=assignments.assignment_reports(held, timeline.hvm),
        story=assignments.story_steps(steps),
        whatif=recommend.whatif_reports(trials, made.ids), recommendation=advice,
        exposure=() if options.brief else _exposure(rules, findings, kernel),
        clocks=found.clocks.reports,
        missing=() if verdict != "inconclusive" else _missing(parsed, timeline),
        left_out=parsed.left_out, remarks=(*parsed.remarks, *overflow,
            *banners.contradictions(parsed), *replay_remarks(played)))
    return _narrowed(report, options.device)


def tool_report(rules: Sequence[object]) -> ToolReport:
    """Who concludes, with what data."""
    return ToolReport("diagnose", _version(), _catalogue(rules))


def input_reports(parsed: Parsed) -> tuple[InputReport, ...]:
    """What was read."""
    return tuple(InputReport(s.path, s.sha256, s.bytes, s.lines, s.speakers, s.compression,
                             s.part_of or None, s.state or None)
                 for s in parsed.sources)


def rules_for(options: Options) -> tuple[Rule, ...]:
    """The rules that a diagnosis with these options judges by. Raises RuleError."""
    return load_rules(event_kinds=event_kinds(), more=options.rules)


def event_kinds() -> Mapping[str, tuple[str, ...]]:
    """The grammar's kinds with the names of their fields, for the rules to be checked against."""
    from diagnose.grammar import load
    return load().fields


def _exposure(rules: Sequence[Rule], findings: Sequence[Finding],
              kernel: KernelReport) -> tuple[Exposure, ...]:
    """What the host can still run into, whichever row it is; nothing where no line tells a row."""
    if kernel.row is None or kernel.how == "unknown":
        return ()
    open_ = kernel.alternatives if kernel.how == "inferred" else ()
    candidates = [row(name) for name in (kernel.row, *open_)]
    return exposure(candidates, rules, {finding.fault for finding in findings})


def _verdict(made: conclude.Conclusion, held: Sequence[assignments.Hold],
             unread: bool) -> Verdict:
    if made.findings:
        return "fault"
    complete = any(hold.start_seen and (hold.over or hold.active) for hold in held)
    if complete and not (made.divergences or made.suspicions or unread):
        return "healthy"
    return "inconclusive"


def _missing(parsed: Parsed, timeline: Timeline) -> tuple[Missing, ...]:
    """What would have to be collected for a verdict."""
    from diagnose.missing import missing
    return (*to_collect(parsed), *missing(parsed, timeline))


def _one_host(parsed: Parsed) -> None:
    hosts = sorted({h for s in parsed.sources if "dom0" in s.speakers or "xen" in s.speakers
                    for h in s.hosts})
    # A host is called by its short name or in full, and localhost until it knows its name.
    short = {host if host[0].isdigit() else host.partition(".")[0].lower()
             for host in hosts} - {"localhost"}
    if len(short) > 1:
        raise UsageError(f"these logs are of {len(hosts)} hosts ({', '.join(hosts)}), and one "
                         "diagnosis is of one host. Give the logs of each host by themselves, or "
                         "use triage for many incidents.")


def _build(release: str | None) -> int | None:
    """The build number of an el5 kernel release, 274 of 2.6.18-274.7.1.el5xen."""
    if release is None or "el5" not in release or "-" not in release:
        return None
    digits = release.split("-", 1)[1].split(".", 1)[0]
    return int(digits) if digits.isdigit() else None


def kernel_report(found: Seen, options: Options) -> KernelReport:
    """The row that the best story runs under, and how it was found."""
    parsed, played, release = found.parsed, found.played, found.release
    if found.beyond is not None:
        return unmodelled.kernel(parsed)
    best, told = played.best.row, played.best.step is not None
    others = {story.row.name for story in played.consistent} - {best.name}
    how: How = "given" if options.kernel else "unknown" if not told else "inferred"
    if not options.kernel and _build(release) is not None and \
            not distance(best, _build(release)):
        how = "banner"
    guests = {e.line.input: str(e.fields["release"]) for e in parsed.telling("banner")
              for t in e.proofs()
              if t.name == "banner" and "guest" in t.args and "release" in e.fields}
    xen = running(parsed, "xen")
    return KernelReport(
        best.name, release, how, tuple(r.name for r in ROWS if r.name in others),
        KernelParts(release, best.change if told else None, xen.text if xen else None, guests))


def replay_remarks(played: Replay) -> tuple[Remark, ...]:
    """What a reader has to know about the search and the banner."""
    remarks = []
    if played.dropped:
        remarks.append(Remark("search-cut", "The search had to drop stories as good as the best "
                              "one; nothing here is more than likely."))
    build = played.release
    if build is not None and played.best.steps() and distance(played.best.row, build):
        remarks.append(Remark("banner-behaviour", f"The banner names build {build}; the lines fit "
                              f"{played.best.row.title} better."))
    return tuple(remarks)


def _narrowed(report: Diagnosis, device: str | None) -> Diagnosis:
    if device is None:
        return report
    wanted = PciAddress.parse(device)

    def meant(name: str | None) -> bool:
        return name is None or "?" in name or wanted.agrees(PciAddress.parse(name))

    findings: tuple[Finding, ...] = tuple(f for f in report.findings if meant(f.device))
    own = [a for a in report.assignments if meant(a.device)]
    divergences = tuple(d for d in report.divergences if meant(d.device))
    suspicions = tuple(s for s in report.suspicions if meant(s.device))
    verdict: Verdict = report.verdict
    if not own or (report.findings and not findings):
        clear = not divergences and not suspicions
        verdict = "healthy" if clear and any(a.verdict == "healthy" for a in own) \
            else "inconclusive"
    from diagnose.collect import asked
    unheard = Missing(f"lines of {device}", "no assignment of it is in these logs",
                      asked("messages"))
    return replace(report, verdict="fault" if findings else verdict, findings=findings,
                   missing=report.missing if own else (*report.missing, unheard),
                   whatif=report.whatif if findings else (),
                   recommendation=report.recommendation if findings else (),
                   divergences=divergences, suspicions=suspicions,
                   harmless=tuple(h for h in report.harmless if meant(h.device)),
                   assignments=tuple(a for a in report.assignments if meant(a.device)))


def _version() -> str:
    from diagnose import __version__
    return __version__


def _catalogue(rules: Sequence[object]) -> str:
    """Hash over everything that is data: grammars, rules, fixes, hazards, kernel rows."""
    from diagnose.grammar import load
    text = "\n".join([load().hash, *(repr(r) for r in rules), *(repr(f) for f in load_fixes()),
                      *(repr(h) for h in load_hazards()),
                      *(repr(r) for r in ROWS)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
