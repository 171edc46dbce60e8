"""Makes logs of any size, of which a given share of the lines is read by the catalogue.

    python -m benchmarks.logs --mb N --seed N --folder FOLDER [--large-mb N]

The lines were recorded on real hosts: those of the corpus, and those of `../shared/xenlab` where it
is there. Each is judged once by the catalogue: *relevant* is what a production reads, *noise* what
holds no cue. Then they are drawn by chance and dressed as one host would print them. One incident
of the corpus is laid in every log, whole and in order. Written is a list of the files, as JSON.

**Invariant:** the same seed, size, catalogue and recorded lines make the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.page import positive
from diagnose.casefile import read_case
from diagnose.envelope import Peeler
from diagnose.events import Production
from diagnose.grammar import Catalogue, load

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "corpus"
LAB = ROOT.parent / "shared" / "xenlab"
INCIDENT = CORPUS / "clean-reboot-el5.case"
SHARES = (0.001, 0.01, 0.1, 1.0)
MB = 1_000_000
QUARTERS = 4
STORM_LINES_A_MB = 10_000
HOST_LOGS = re.compile(r"(?:dom0|xen|serial)[\w-]*\.log")
"""What dom0 and Xen print. What guests print stands in files of their own on a real host."""
QUIET = frozenset(("nothing", "found", "anchor", "steady"))
"""What lines may prove that are drawn by chance. All else acts in the ledgers, begins or ends
somebody's life, or tells who speaks or what is left out: chance makes no sense of these."""
VARIANTS = 8
TRIES = 64
BEGIN = datetime(2026, 11, 22, 11, 43, 59)
BOOT_SECONDS = 12.345678
SPAN_SECONDS = 20 * 86400.0
"""Each log tells of as much time, so that a large one is a dense one and none passes New Year."""
STRETCH_LINES = (200, 5000)
BURST_LINES = 16
"""So many lines of the incident stand together, as one guest's are printed within seconds."""
_DIGIT = re.compile("[0-9](?!x)")


def _syslog(now: datetime, uptime: float, text: str) -> str:
    return f"{now:%b %d %H:%M:%S} xenhost kernel: [{uptime:12.6f}] {text}\n"


def _printk(_now: datetime, uptime: float, text: str) -> str:
    return f"[{uptime:12.6f}] {text}\n"


def _xen(now: datetime, _uptime: float, text: str) -> str:
    return f"(XEN) [{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}] {text}\n"


Dress = Callable[[datetime, float, str], str]
DRESSES: tuple[tuple[str, Dress], ...] = (("dom0", _syslog), ("dom0", _printk), ("xen", _xen))
"""Who prints, and in which form; a log is made of stretches of one form each."""


class Pool(NamedTuple):
    """The messages of one speaker, as often as they were recorded."""

    noise: list[str]
    relevant: list[str]


class Ingredients(NamedTuple):
    """All that a log is made of; `told` says where it was recorded."""

    pools: dict[str, Pool]
    incident: tuple[str, ...]
    told: str


def recorded() -> tuple[list[str], str]:
    """Every line that dom0 or Xen printed on a real host, and where these were recorded."""
    cases = [case for case in map(read_case, sorted(CORPUS.glob("*.case")))
             if case.provenance == "recorded"]
    lines = [line for case in cases for name, text in case.logs if HOST_LOGS.fullmatch(name)
             for line in text.splitlines()]
    told = f"{len(lines):,} lines of the corpus ({', '.join(case.slug for case in cases)})"
    files = [path for path in sorted(LAB.glob("*/*.log")) if HOST_LOGS.fullmatch(path.name)]
    if not files:
        return lines, f"{told}; `../shared/xenlab` is not there"
    more = [line for path in files for line in path.read_text(errors="replace").splitlines()]
    return lines + more, f"{told} and {len(more):,} of `../shared/xenlab`"


class Sorter:
    """Judges lines by the catalogue, and makes others of the same kind."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._peeler = Peeler(catalogue)

    def judged(self, line: str) -> str | None:
        """The kind of a line as it stands in a log; empty for noise, None for neither.

        Neither is a line which holds a cue and is not read.
        """
        matched = self._catalogue.match(self._peeler.peel(line).payload)
        if matched.reading is not None:
            return matched.reading.production.kind
        return None if matched.cued else ""

    def pools(self, lines: Iterable[str], rng: Random) -> dict[str, Pool]:
        """The lines that are of use, by speaker, without their envelopes and with variants."""
        pools = {"dom0": Pool([], []), "xen": Pool([], [])}
        known: dict[tuple[str, str], tuple[str, list[str]]] = {}
        for line in lines:
            envelope = self._peeler.peel(line)
            key = ("xen" if envelope.speaker == "xen" else "dom0", envelope.payload)
            if key not in known:
                known[key] = self._variants(*key, rng)
            part, variants = known[key]
            if part == "noise":
                pools[key[0]].noise.extend(variants)
            elif part == "relevant":
                pools[key[0]].relevant.extend(variants)
        return pools

    def _variants(self, speaker: str, payload: str, rng: Random) -> tuple[str, list[str]]:
        """Which pool a message belongs to ("": to none), and the message in several forms."""
        kind = self._kind(speaker, payload)
        if kind is None or not payload or not payload.isascii() or not payload.isprintable():
            return "", []
        production = self._catalogue.production(kind) if kind else None
        if production is not None and not quiet(production):
            return "", []
        part = "noise" if production is None else "relevant"
        found = [payload]
        if production is None or saying_nothing(production):
            others = (_DIGIT.sub(lambda _: str(rng.randrange(10)), payload)
                      for _ in range(VARIANTS - 1))
            found += [other for other in others if self._kind(speaker, other) == kind]
        # So many of each that one with no variant is drawn as often as it was recorded.
        return part, [found[nth % len(found)] for nth in range(VARIANTS)]

    def _kind(self, speaker: str, payload: str) -> str | None:
        """How a message is judged in every dress of the speaker, None if not in all alike."""
        kinds = {self.judged(dress(BEGIN, BOOT_SECONDS, payload).rstrip("\n"))
                 for whose, dress in DRESSES if whose == speaker}
        return kinds.pop() if len(kinds) == 1 else None

    def stormy(self, messages: Iterable[str], rng: Random) -> str:
        """The message of no effect with most digits, which is read whatever these are.

        Raises ValueError if no message is that.
        """
        for message in sorted(set(messages), key=lambda each: (-len(_DIGIT.findall(each)), each)):
            kind = self._kind("dom0", message)
            production = self._catalogue.production(kind) if kind else None
            if production is None or production.noise or not saying_nothing(production):
                continue
            others = (_filled(message, rng.randrange(10 ** 9)) for _ in range(TRIES))
            if all(self._kind("dom0", each) == kind for each in others):
                return message
        raise ValueError("of no recorded message the digits may be any")


def quiet(production: Production) -> bool:
    """Whether lines of this kind may be drawn by chance (see `QUIET`)."""
    return production.noise or {term.name for term in production.proves} <= QUIET


def saying_nothing(production: Production) -> bool:
    """Whether nothing depends on the fields, so that they may be changed."""
    return production.noise or all(term.name == "nothing" for term in production.proves)


def _filled(message: str, number: int) -> str:
    """The message with other digits; of numbers below ten to their count no two give the same."""
    count = len(_DIGIT.findall(message))
    digits = iter(f"{number * 7_777_777 % 10 ** count:0{count}d}")
    return _DIGIT.sub(lambda _: next(digits), message)


def ingredients(seed: int) -> Ingredients:
    """What was recorded, judged, and the incident: dom0's log of one case."""
    lines, told = recorded()
    logs = dict(read_case(INCIDENT).logs)
    return Ingredients(Sorter(load()).pools(lines, Random(seed)),
                       tuple(logs["dom0.log"].splitlines()), told)


def written(made_of: Ingredients, share: float, size: int, seed: int) -> Iterator[str]:
    """The lines of a log of about `size` bytes; `share` of those drawn are relevant (0 to 1)."""
    rng = Random(f"{seed} {share} {size}")
    incident, laid, done = made_of.incident, 0, 0
    stretch, (whose, dress) = 0, DRESSES[0]
    pool = made_of.pools[whose]
    while done < size:
        if not stretch:
            stretch = rng.randint(*STRETCH_LINES)
            whose, dress = rng.choice(DRESSES)
            pool = made_of.pools[whose]
        elapsed = SPAN_SECONDS * done / size
        now = BEGIN + timedelta(seconds=elapsed)
        if laid < len(incident) and done >= size * (laid - laid % BURST_LINES) // len(incident):
            line = _syslog(now, BOOT_SECONDS + elapsed, incident[laid])
            laid += 1
        else:
            messages = pool.relevant if rng.random() < share else pool.noise
            message = messages[int(rng.random() * len(messages))]
            line = dress(now, BOOT_SECONDS + elapsed, message)
            stretch -= 1
        done += len(line)
        yield line


def alone(made_of: Ingredients) -> Iterator[str]:
    """The incident with nothing around it."""
    for nth, message in enumerate(made_of.incident):
        yield _syslog(BEGIN + timedelta(seconds=20 * nth), BOOT_SECONDS + 20 * nth, message)


def storm(message: str, count: int, distinct: bool) -> Iterator[str]:
    """One message so many times, or as many that differ in nothing but digits."""
    for nth in range(count):
        elapsed = SPAN_SECONDS * nth / count
        text = _filled(message, nth) if distinct else message
        yield _syslog(BEGIN + timedelta(seconds=elapsed), BOOT_SECONDS + elapsed, text)


class Shelf:
    """Where logs are kept from one run to the next, under names that tell what they are made of."""

    def __init__(self, folder: Path, made_of: Ingredients, seed: int) -> None:
        own = Path(__file__).read_bytes()
        identity = repr((load().hash, made_of, seed)).encode() + own
        self._folder = folder / hashlib.sha256(identity).hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    def keep(self, name: str, lines: Callable[[], Iterable[str]]) -> str:
        """The path of a file with these lines, which are made only if it is not there."""
        path = self._folder / name
        if not path.exists():
            unfinished = path.with_suffix(".part")
            with unfinished.open("w", encoding="ascii") as file:
                file.writelines(lines())
            unfinished.replace(path)
        return str(path)


def made(folder: Path, mb: int, large_mb: int, seed: int) -> dict[str, object]:
    """All files for one run of the benchmark, by what they are for."""
    made_of = ingredients(seed)
    shelf = Shelf(folder, made_of, seed)

    def share_of(share: float, megabytes: int) -> str:
        return shelf.keep(f"{100 * share:g}-percent-{megabytes}-mb.log",
                          lambda: written(made_of, share, megabytes * MB, seed))

    def quarter(nth: int) -> str:
        return shelf.keep(f"quarter-{nth}-of-{mb}-mb.log",
                          lambda: written(made_of, 0.1, mb * MB // QUARTERS, seed + nth))

    count = mb * STORM_LINES_A_MB
    message = Sorter(load()).stormy(made_of.pools["dom0"].relevant, Random(seed))
    return {
        "told": made_of.told,
        "burst": BURST_LINES,
        "literals": shelf.keep("literals", lambda: (f"{cue}\n" for cue in load().raw_cues)),
        "alone": shelf.keep("incident-alone.log", lambda: alone(made_of)),
        "shares": {f"{100 * share:g} %": share_of(share, mb) for share in SHARES},
        "large": share_of(SHARES[0], large_mb) if large_mb else None,
        "quarters": [quarter(nth) for nth in range(QUARTERS)],
        "message": message,
        "storm": shelf.keep(f"storm-{count}.log", lambda: storm(message, count, False)),
        "distinct": shelf.keep(f"distinct-{count}.log", lambda: storm(message, count, True)),
    }


def main() -> None:
    """Make what is not there yet, and tell where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mb", type=positive, required=True, metavar="N")
    parser.add_argument("--large-mb", type=positive, default=0, metavar="N")
    parser.add_argument("--seed", type=int, required=True, metavar="N")
    parser.add_argument("--folder", type=Path, required=True, metavar="FOLDER")
    given = parser.parse_args()
    print(json.dumps(made(given.folder, given.mb, given.large_mb, given.seed), indent=1))


if __name__ == "__main__":
    main()
