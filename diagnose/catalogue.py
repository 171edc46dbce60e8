"""Derive the catalogue of messages from the grammars: the only module that knows lark.

From each production come one regular expression, the literals by which lines are found, and the
pieces of which the line is printed. The result is plain data (see `build`), which `grammar` keeps
in a file, so that a program start does not import lark.

The regular expression accepts what lark's parser accepts, with the same fields: every terminal is
an atomic group, because a lexer never gives a token back, and alternatives are allowed only where
their first literals tell them apart. A grammar for which that does not hold is a GrammarError.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lark import Lark, Token
from lark.exceptions import LarkError
from lark.lexer import PatternStr

from diagnose.annotation import Block, read_blocks
from diagnose.cues import Step, cues, index, longest, near, raw_cues
from diagnose.errors import GrammarError
from diagnose.values import split_terminal

#: The grammar files: a speaker's name, and after a dash the era of those that are of one.
FILES = (
    "linux", "dom0", "xen", "guest", "toolstack",
    "linux-modern", "dom0-modern", "xen-modern", "guest-modern", "toolstack-modern",
    "envelope",
)
#: What state files hold, a grammar for each kind of file.
STATE = "state"
STATE_FILES = (
    "state-uname", "state-cmdline", "state-packages", "state-info", "state-domains", "state-lspci",
    "state-interrupts", "state-modprobe", "state-guest",
)
WORD_TERMS = ("banner", "speaker", "option", "anchor")  # their first argument is a word, no field


def build(directory: Path) -> dict[str, Any]:
    """Derive the whole catalogue: {"productions": […], "index": {…}, "state": {…}}, plain data.

    "state" has the same two keys for each kind of state file, so that no line of a log is ever
    tried against them. Raises GrammarError, with file and line, for grammars that cannot be used.
    """
    owner: dict[str, str] = {}
    apart = {file.partition("-")[2]: _indexed(directory, (file,), owner) for file in STATE_FILES}
    return {**_indexed(directory, FILES, owner), STATE: apart}


def _indexed(directory: Path, files: Sequence[str], owner: dict[str, str]) -> dict[str, Any]:
    """The productions of some grammars and how they are found; `owner`: kind → its file."""
    productions: list[dict[str, Any]] = []
    for file in files:
        for made in _file_productions(directory, file):
            if made["kind"] in owner:
                raise GrammarError(
                    f"{file}.lark", None, f"{made['kind']} is also in {owner[made['kind']]}.lark"
                )
            owner[made["kind"]] = file
            productions.append(made)
    # A generic production is tried last, so it stands last.
    productions.sort(key=lambda made: "generic" in made["flags"])
    return {"productions": productions, "index": index(productions)}


def reference(directory: Path, file: str) -> tuple[Lark, tuple[Block, ...]]:
    """Lark's own parser for one grammar file, with every production as a start symbol.

    It reads folded payloads; the derived regular expressions are held against it. Raises
    GrammarError if lark refuses the file.
    """
    path = directory / f"{file}.lark"
    try:
        text, blocks = read_blocks(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise GrammarError(path.name, None, f"cannot be read: {error.strerror}") from error
    try:
        parser = Lark(
            text,
            parser="lalr",
            lexer="contextual",
            start=[block.kind for block in blocks],
            maybe_placeholders=False,
            source_path=str(path),
            import_paths=[str(directory)],
        )
    except LarkError as error:
        raise GrammarError(
            path.name, getattr(error, "line", None), str(error).split("\n")[0]
        ) from error
    return parser, blocks


def lark_reading(parser: Lark, kind: str, payload: str) -> dict[str, str] | None:
    """Field texts of a folded payload as lark reads it, None if lark refuses it."""
    try:
        tree = parser.parse(payload, start=kind)
    except LarkError:
        return None
    tokens = tree.scan_values(lambda child: isinstance(child, Token))
    return {split_terminal(token.type)[0]: str(token) for token in tokens}


def _file_productions(directory: Path, file: str) -> list[dict[str, Any]]:
    parser, blocks = reference(directory, file)
    patterns = {terminal.name: terminal.pattern for terminal in parser.terminals}
    expansions: dict[str, list[list[Any]]] = {}
    for rule in sorted(parser.rules, key=lambda rule: rule.order):
        expansions.setdefault(str(rule.origin.name), []).append(list(rule.expansion))
    made = []
    for block in blocks:
        alternatives = [
            [_step(block, patterns, symbol.name) for symbol in expansion]
            for expansion in expansions[block.kind]
        ]
        made.append(_production(block, file, alternatives))
    return made


def _step(block: Block, patterns: dict[str, Any], name: str) -> Step:
    if name not in patterns:
        raise block.fail(f"uses {name}, which is no terminal; repetitions are not allowed")
    pattern = patterns[name]
    if isinstance(pattern, PatternStr) and block.raw_literals.get(pattern.value) is not None:
        return "", pattern.value, block.raw_literals[pattern.value]
    try:
        field, suffix = split_terminal(name)
    except ValueError as error:
        raise block.fail(str(error)) from error
    return field, suffix, pattern.to_regexp()


def _production(block: Block, file: str, alternatives: list[list[Step]]) -> dict[str, Any]:
    speaker, _, era = file.partition("-")
    fields: dict[str, str] = {}
    for steps in alternatives:
        names = [field for field, _, _ in steps if field]
        if len(set(names)) != len(names):
            raise block.fail("uses a terminal twice")
        fields.update((field, suffix) for field, suffix, _ in steps if field)
    sets = [frozenset(field for field, _, _ in steps if field) for steps in alternatives]
    if len(set(sets)) != len(sets) and "unprintable" not in block.flags:
        raise block.fail("has alternatives without fields; mark it unprintable")
    _check_terms(block, fields)
    regex = _regex(block, alternatives)
    nears = [] if speaker == STATE else near(alternatives)
    if re.compile(regex).groups != len(fields):
        raise block.fail("uses a terminal with a capturing group; write (?:…)")
    return {
        "kind": block.kind,
        "file": speaker,
        "era": era,
        "grammar": f"{file}.lark",
        "line": block.line,
        "texts": block.texts,
        "flags": sorted(block.flags),
        "proves": block.proves,
        "samples": [sample.text for sample in block.samples],
        "expected": [sample.fields for sample in block.samples],
        "fields": fields,
        "alternatives": alternatives,
        "head": block.head,
        "tail": block.tail,
        "regex": regex,
        # In a state file a text without any literal may be any line; there are few lines to try.
        "cues": sorted(longest(alternatives)) if speaker == STATE else
        [] if "layer" in block.flags else cues(block, alternatives),
        "near": nears,
        "raw_cues": [] if speaker == STATE or "layer" in block.flags else raw_cues(
            alternatives, nears, twice=any(name == "effect" for name, _, _ in block.proves)),
    }


def _check_terms(block: Block, fields: dict[str, str]) -> None:
    for name, args, when in block.proves:
        wanted = [*args[name in WORD_TERMS:], *(key for key, _ in when)]
        unknown = [key for key in wanted if key not in fields and key != "speaker"]
        if unknown:
            raise block.fail(f"proves {name} by {unknown[0]}, which is no field of it")


# --- The regular expression -----------------------------------------------------------------


def _regex(block: Block, alternatives: Sequence[Sequence[Step]]) -> str:
    """One expression for all alternatives: what they share at both ends stands there once."""
    shortest = min(len(steps) for steps in alternatives)
    first = alternatives[0]
    head = 0
    while head < shortest and all(steps[head] == first[head] for steps in alternatives):
        head += 1
    if len(alternatives) == 1:
        return "".join(map(_fragment, first))
    tail = 0
    while tail < shortest - head and all(
        steps[len(steps) - 1 - tail] == first[len(first) - 1 - tail] for steps in alternatives
    ):
        tail += 1
    ending = list(first[len(first) - tail :])
    branches = [list(steps[head : len(steps) - tail]) for steps in alternatives]
    _check_apart(block, [branch + ending for branch in branches])
    # The empty branch has to come last: an atomic group takes the first that fits.
    branches.sort(key=lambda branch: not branch)
    choice = "|".join("".join(map(_fragment, branch)) for branch in branches)
    return "".join([*map(_fragment, first[:head]), f"(?>{choice})", *map(_fragment, ending)])


def _fragment(step: Step) -> str:
    field, text, pattern = step
    return f"(?P<{field}>(?>{pattern}))" if field else re.escape(text)


def _check_apart(block: Block, branches: Sequence[Sequence[Step]]) -> None:
    """A lexer decides at the first token: the branches have to differ there, beyond doubt."""
    heads = [branch[0] if branch else None for branch in branches]
    literals = [step[1] for step in heads if step is not None and not step[0]]
    fields = [step for step in heads if step is not None and step[0]]
    clash = any(
        a.startswith(b) for i, a in enumerate(literals) for j, b in enumerate(literals) if i != j
    )
    if clash or (fields and len([head for head in heads if head is not None]) > 1):
        raise block.fail("its alternatives cannot be told apart by their first literals")
