"""What a coverage-guided fuzzer finds in the reader, the grammars and the whole of `log`.

    python -m benchmarks.fuzz [--seconds N] [--output FILE] [TARGET...]

Each target is a law of tests/fuzz/laws.py, fuzzed by atheris (libFuzzer) in a process of its own
with the same seeds and words each time. An input that breaks the law, takes longer than a few
seconds or too much memory ends its target; it is kept below .cache/fuzz/, and the command that
tries it again is told. Ends with 1 if there is one.
"""
from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import machine
from benchmarks.page import asker, positive, publish

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / ".cache" / "fuzz"
TARGETS = ("reader", "bundle", "envelopes", "grammars", "log")
SECONDS = 60
INPUT_BYTES_MAX = 1 << 16
INPUT_SECONDS_MAX = 20
"""For one input, instrumented, which is several times slower than the program itself."""
MEMORY_MIB_MAX = 1024
SEED = 1

_STATE = re.compile(r"cov: (\d+) ft: (\d+)")
_EXECUTED = re.compile(r"^(?:stat::number_of_executed_units:|#|Done) ?(\d+)", re.MULTILINE)
_FINDING = re.compile(r"Test unit written to (\S+)")


class Fuzzed(NamedTuple):
    """What became of one target. `edges` and `features` are libFuzzer's `cov` and `ft`."""

    target: str
    seeds: int
    executions: int
    seconds: float
    edges: int
    features: int
    finding: str

    @property
    def row(self) -> str:
        """Its row of the table."""
        return (f"| {self.target} | {self.seeds:,} | {self.executions:,} "
                f"| {self.executions / self.seconds:,.0f} | {self.edges:,} | {self.features:,} "
                f"| {self.finding or 'none'} |")


def law(target: str) -> Callable[[bytes], None]:
    """The law, with the project's own packages instrumented as they are imported."""
    import atheris

    with atheris.instrument_imports(include=["diagnose", "emulator"], enable_loader_override=False):
        from tests.fuzz import laws
    found: Callable[[bytes], None] = getattr(laws, target)
    return found


def inside(target: str, arguments: Sequence[str]) -> None:
    """Fuzz in this process, which libFuzzer ends."""
    import atheris

    atheris.Setup([sys.argv[0], *arguments], law(target))
    atheris.Fuzz()


def lay(target: str, folder: Path) -> tuple[int, Path]:
    """Write the seeds below a folder, and the words into a file beside it."""
    from tests.fuzz.seeds import SEEDS, tokens

    place = folder / "seeds"
    place.mkdir()
    for make in SEEDS[target]:
        for seed in make():
            (place / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = folder / "words"
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in tokens())
    words.write_text("".join(f'"{word}"\n' for word in escaped), encoding="ascii")
    return len(list(place.iterdir())), words


def fuzz(target: str, seconds: int) -> Fuzzed:
    """Fuzz one target for so long, in a process of its own."""
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        seeds, words = lay(target, Path(folder))
        begin = time.monotonic()
        done = subprocess.run(
            [*command(target), f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS_MAX}",
             f"-report_slow_units={INPUT_SECONDS_MAX}",
             f"-rss_limit_mb={MEMORY_MIB_MAX}", f"-max_len={INPUT_BYTES_MAX}", f"-seed={SEED}",
             f"-dict={words}", f"-artifact_prefix={FOUND}/{target}-", "-print_final_stats=1",
             str(Path(folder) / "seeds")],
            cwd=ROOT, capture_output=True, check=False)
        taken = time.monotonic() - begin
    told = done.stderr.decode("utf-8", "replace") + done.stdout.decode("utf-8", "replace")
    states, executed = _STATE.findall(told), _EXECUTED.findall(told)
    if not executed:
        sys.exit(f"{target} could not be fuzzed:\n{told[-4000:]}")
    found = _FINDING.search(told)
    if done.returncode:
        print(told[-4000:], file=sys.stderr)
    name = Path(found[1]).name if found else f"exit {done.returncode}" if done.returncode else ""
    edges, features = map(int, states[-1]) if states else (0, 0)
    return Fuzzed(target, seeds, max(map(int, executed)), taken, edges, features, name)


def command(target: str) -> list[str]:
    """How one target is run; with a file behind it, that input is tried alone."""
    return [sys.executable, "-m", "benchmarks.fuzz", "--inside", target]


def told(fuzzed: Sequence[Fuzzed], seconds: int) -> str:
    """The results as a page of Markdown."""
    return "\n".join([
        "# What fuzzing finds",
        "",
        f"Written by `benchmarks/fuzz.py`: each target, a law of `tests/fuzz/laws.py`, {seconds}",
        "seconds, by atheris. *Edges* and *features* are what libFuzzer calls `cov` and `ft`.",
        f"An input has at most {INPUT_BYTES_MAX} bytes; one that takes more than "
        f"{INPUT_SECONDS_MAX} seconds",
        f"or {MEMORY_MIB_MAX} MiB is a finding, as one that breaks the law.",
        "",
        *(f"- {fact}" for fact in machine()),
        "",
        "| target | seeds | executions | a second | edges | features | finding |",
        "|---|---:|---:|---:|---:|---:|---|",
        *(each.row for each in fuzzed),
        "",
    ])


def main() -> None:
    """Fuzz and show the page."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    if importlib.util.find_spec("atheris") is None:
        sys.exit("Fuzzing needs atheris, which has no wheel for this Python or machine. It has one "
                 "for CPython 3.11 to 3.13 on x86-64 Linux: make PYTHON=python3.11 fuzz")
    parser = asker(__doc__)
    parser.add_argument("--seconds", type=positive, default=SECONDS, metavar="N")
    parser.add_argument("targets", nargs="*", metavar="TARGET", default=list(TARGETS))
    given = parser.parse_args()
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"no target {sorted(unknown)}; there are {', '.join(TARGETS)}")
    fuzzed = [fuzz(target, given.seconds) for target in given.targets]
    publish(told(fuzzed, given.seconds), given.output)
    for each in fuzzed:
        if each.finding:
            print(f"try it again: python -m benchmarks.fuzz --inside {each.target} "
                  f"{(FOUND / each.finding).relative_to(ROOT)}", file=sys.stderr)
    sys.exit(any(each.finding for each in fuzzed))


if __name__ == "__main__":
    main()
