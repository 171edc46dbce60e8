"""What diagnose is compared with that has to be called from Python, each as a program of its own.

    python -m benchmarks.contenders NAME LITERALS FILE...

`LITERALS` is a file with the texts to look for, one a line. Written is how many of something were
found, so that nobody can leave the work undone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

PIECE_BYTES = 256 << 10


def lines_of(files: Sequence[str]) -> Iterator[str]:
    """The lines of the files without their ends."""
    for name in files:
        with open(name, encoding="utf-8", errors="replace") as file:
            for line in file:
                yield line.rstrip("\n")


def bare(literals: Sequence[str], files: Sequence[str]) -> int:
    """Places that diagnose's own sieve finds in pieces of the files, and nothing else done."""
    from diagnose.sieve import sieve

    engine = sieve(tuple(literals))
    found = 0
    for name in files:
        with open(name, "rb", buffering=0) as file:
            while piece := file.read(PIECE_BYTES):
                found += len(engine.places(piece))
    return found


def drain(_literals: Sequence[str], files: Sequence[str]) -> int:
    """Templates that Drain3 makes of the whole lines, with its own settings."""
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    miner = TemplateMiner(config=TemplateMinerConfig())
    for line in lines_of(files):
        miner.add_log_message(line)
    return len(miner.drain.clusters)


def searchkit(literals: Sequence[str], files: Sequence[str]) -> int:
    """Lines found by searchkit, the engine of hotsos, in one definition of all the literals.

    Its patterns are matched at the beginning of a line, which is why hotsos writes `.*` before
    what may stand anywhere.
    """
    from searchkit import FileSearcher, SearchDef

    searcher = FileSearcher(max_parallel_tasks=0)
    patterns = [f".*{re.escape(literal)}" for literal in literals]
    for name in files:
        searcher.add(SearchDef(patterns, tag="cue"), name)
    return len(searcher.run().find_by_tag("cue"))


def lark(_literals: Sequence[str], files: Sequence[str]) -> int:
    """Lines that Lark's parsers read, of those with a cue of a message.

    The envelope is peeled off by diagnose, and Lark is asked for the productions whose cues stand
    in the line, in their order, until one reads it: it does what the regular expressions do that
    diagnose derives from the same grammars.
    """
    from diagnose.catalogue import FILES, lark_reading, reference
    from diagnose.catalogue_file import grammar_directory, load
    from diagnose.envelope import Peeler
    from diagnose.grammar import Catalogue

    data, _ = load()
    parsers = {f"{file}.lark": reference(grammar_directory(), file)[0] for file in FILES}
    productions = list(data["productions"])
    cues = {cue: numbers for cue, numbers, _ in data["index"]["literals"] if numbers}
    any_cue = re.compile("|".join(map(re.escape, cues)))
    peeler = Peeler(Catalogue(data))
    found = 0
    for line in lines_of(files):
        payload = peeler.peel(line).payload
        padded = f" {payload} "
        if any_cue.search(padded) is None:
            continue
        numbers = sorted({each for cue in cues if cue in padded for each in cues[cue]})
        found += any(lark_reading(parsers[made["grammar"]], made["kind"], payload) is not None
                     for made in map(productions.__getitem__, numbers))
    return found


Contender = Callable[[Sequence[str], Sequence[str]], int]
CONTENDERS: Mapping[str, Contender] = MappingProxyType(
    {"bare": bare, "drain": drain, "searchkit": searchkit, "lark": lark})


def main() -> None:
    """Run one of them over files."""
    name, literals, *files = sys.argv[1:]
    with open(literals, encoding="utf-8") as file:
        cues = [line.rstrip("\n") for line in file]
    print(CONTENDERS[name](cues, files))


if __name__ == "__main__":
    main()
