"""The table of what a diagnosis needs, and the shell script that gathers it on a host.

**Invariant:** what a report asks for and what the script gathers come from `collect.toml` alone.
"""
from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from diagnose.rulefile import Key, RuleFile, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = Path(__file__).parent / "collect.toml"
SCRIPT = Path(__file__).parent / "collect.sh"
HERE = "#@ the parts\n"
"""Where the script's frame has the parts put in."""
TOOLS = ("xm", "xl")
TOOL = "TOOL"
"""Stands in an `ask` for the tool stack that the host has."""

_FILE_KEYS: Mapping[str, Key] = MappingProxyType({
    "part": Key("clauses", "always", "One table for each thing to gather."),
})
_PART_KEYS: Mapping[str, Key] = MappingProxyType({
    "id": Key("string", "always", "The part's name."),
    "what": Key("string", "always", "What it is."),
    "why": Key("string", "always", "What it tells."),
    "file": Key("string", "always", "The file that it goes to, or what copies are called after."),
    "command": Key("string", "", "Prints it on any host."),
    "xm": Key("string", "", "Prints it where xend answers."),
    "xl": Key("string", "", "Prints it where libxl answers."),
    "copies": Key("string", "", "The files to copy, as patterns of the shell."),
    "without": Key("string", "", "A word: lines of the copies that hold it are left out."),
    "ask": Key("string", "", "What a person is told to type, where it is something else."),
})


class Part(Struct, frozen=True):
    """One thing to gather; `prints` maps a tool stack, or "" for any host, to a command."""

    id: str
    what: str
    why: str
    file: str
    prints: Mapping[str, str]
    copies: str
    without: str
    ask: str

    def asked(self, tool: str) -> str:
        """What a person is told to type on a host with this tool stack."""
        shown = self.ask or f"{self.prints.get('', self.prints.get(tool, ''))} > {self.file}"
        return shown.replace(TOOL, tool)


@cache
def load_parts(path: Path = PARTS) -> Mapping[str, Part]:
    """The whole table by the parts' names. Raises RuleError with file and line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    return MappingProxyType({part.id: part for part in _parts(file)})


def _parts(file: RuleFile) -> Iterator[Part]:
    for nr, table in enumerate(cast("list[Table]", file.content["part"])):
        file.check(table, _PART_KEYS, ("part", nr))
        told = {key: str(value) for key, value in table.items()}
        prints = {tool: told[key] for tool, key in (("", "command"), *zip(TOOLS, TOOLS))
                  if key in told}
        if not prints and "copies" not in told:
            file.fail(("part", nr, "id"), f"{told['id']!r} has nothing that gathers it")
        yield Part(told["id"], told["what"], told["why"], told["file"], prints,
                   told.get("copies", ""), told.get("without", ""), told.get("ask", ""))


def asked(*names: str, tool: str = TOOLS[0]) -> str:
    """The commands of these parts as a person types them, where this tool stack answers."""
    return "; ".join(load_parts()[name].asked(tool) for name in names)


def script() -> str:
    """The script: it asks whatever is there, writes one directory and packs it."""
    frame = SCRIPT.read_text(encoding="utf-8")
    return frame.replace(HERE, "".join(_lines(part) for part in load_parts().values()))


def _lines(part: Part) -> str:
    """A part's lines of the script; the file's name is no pattern and is quoted all the same."""
    from shlex import quote

    lines = [f"\n# {part.what}: {part.why}"]
    for tool, command in part.prints.items():
        head = f'[ "$tool" = {tool} ] && ' if tool else ""
        lines.append(f"{head}take {quote(part.file)} {quote(command)}")
    if part.copies:
        lines.append(f"copy {quote(part.file)} {quote(part.without)} {part.copies}")
    return "\n".join(lines) + "\n"
