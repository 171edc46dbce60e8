"""Read what stands above each production of a grammar file, and fold the production's literals.

The annotations are comments to lark: `//: key` or `//: key: value`, directly above the production.
docs/grammar-annotations.md describes the keys. Nothing here knows what a message means.

**Invariant:** no import of lark; a file with a broken annotation is a GrammarError with its line.
"""
from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from diagnose.errors import GrammarError

#: To be raised whenever the derivation changes: kept catalogues of another version are not read.
BUILDER_VERSION = 17

FLAGS = frozenset(
    ("noise", "alarming", "generic", "unprintable", "layer", "outer", "inner", "head")
)
TEXTS = frozenset(
    ("source", "versions", "level", "scope", "hint", "about", "todo", "near", "unpack", "state")
)
LEVELS = frozenset(
    ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "default")
    + ("gerr", "gwarning", "ginfo", "gdebug")
)
SCOPES = frozenset(("anyhost",))
HINTS = frozenset(("hvm", "pv"))
#: What a line tells of the host as it was when somebody looked, in a file or in Xen's dumps.
STATES = frozenset(
    ("release", "host", "xen_version", "command_line", "kernel_package", "xen_package", "domain")
    + ("device", "msix", "driver", "interrupt", "hidden", "guest_name", "guest_kind")
    + ("guest_devices", "owner", "pirqs", "msi")
)
UNPACKERS = frozenset(("bracket", "journal"))
OPERATIONS = frozenset(
    ("seize", "release", "domain_start", "driver_load", "ifup", "ifdown", "driver_unload")
    + ("clean_shutdown", "crash", "destroy", "kexec", "teardown", "vf_destroy", "pf_reload", "flr")
)
#: What dates and names: who has which device, which domain is called how, and moments that two
#: speakers tell. The number of arguments is bounded; 0 is no bound.
DATING: Mapping[str, tuple[int, int]] = {
    "found": (1, 1), "lost": (1, 1), "given": (2, 2), "returned": (1, 2), "named": (2, 2),
    "anchor": (1, 0), "steady": (0, 0),
}
TERMS = OPERATIONS | DATING.keys() | frozenset(
    ("effect", "birth", "alive", "death", "death_clean", "death_abrupt", "host_boot", "guest_boot")
    + ("gap", "level", "banner", "repeat", "speaker", "option", "nothing")
)

# Only who derives the catalogue needs these, so they are not compiled here.
_ANNOTATION = r"//:\s*(?P<key>[a-z]+)(?::(?: (?P<value>.*))?)?$"
_PRODUCTION = r"(?P<kind>[a-z][a-z0-9_]*)\s*:"
_LITERAL = r'"(?:\\.|[^"\\\n])*"'
_TERM = r"(?P<name>[a-z_]+)(?:\((?P<args>[a-z0-9_, ]*)\))?(?: when (?P<when>.+))?$"
_ESCAPE = r"\\(t|x20|\\)"
_ESCAPED = {"t": "\t", "x20": " ", "\\": "\\"}
_BLANKS = re.compile(r"[ \t]+")
FOLDABLE = r"[ \t]{2,}|\t"


class Sample(Struct, frozen=True):
    """A raw line as the kernel prints it, and the fields that reading it has to give."""

    text: str
    fields: dict[str, object]


class Block(Struct):
    """One production with its annotations; `body` is what lark reads, folded."""

    kind: str
    file: str
    line: int
    body: str
    texts: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    proves: list[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]] = field(
        default_factory=list
    )
    samples: list[Sample] = field(default_factory=list)
    raw_literals: dict[str, str] = field(default_factory=dict)
    head: str = ""
    tail: str = ""

    def fail(self, what: str) -> GrammarError:
        """The error that says what is wrong with this production."""
        return GrammarError(self.file, self.line, f"{self.kind}: {what}")


def fold(text: str) -> str:
    """Runs of blanks and tabs become one blank; the ends stay."""
    return _BLANKS.sub(" ", text)


def unescape(text: str) -> str:
    r"""A sample as it is printed: `\t` is a tab, `\x20` a blank that editors would cut off."""
    return re.sub(_ESCAPE, lambda match: _ESCAPED[match[1]], text)


def read_blocks(text: str, file: str) -> tuple[str, tuple[Block, ...]]:
    """Split a grammar file: the text for lark, folded, and one block a production.

    Raises GrammarError for an annotation that is malformed or belongs to no production.
    """
    folded: list[str] = []
    blocks: list[Block] = []
    pending: list[tuple[int, str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("//:"):
            match = re.match(_ANNOTATION, line)
            if match is None:
                raise GrammarError(file, number, f"no annotation: {line!r}; write `//: key: value`")
            pending.append((number, match["key"], match["value"] or ""))
        elif found := re.match(_PRODUCTION, line):
            block = Block(found["kind"], file, number, "")
            block.body = _fold_body(block, line[found.end() :])
            _annotate(block, pending)
            pending = []
            blocks.append(block)
            folded.append(f"{block.kind}: {block.body}")
            continue
        elif pending and line.strip():
            raise GrammarError(file, number, "an annotation has to stand above a production")
        elif (line[:1].isspace() and line.strip()) or line.startswith("|"):
            raise GrammarError(file, number, "a production has to stand on one line")
        folded.append(line)
    if pending:
        raise GrammarError(file, pending[0][0], "an annotation has to stand above a production")
    return "\n".join(folded), tuple(blocks)


def _fold_body(block: Block, body: str) -> str:
    """Fold the literals, cut the blanks at the message's ends, remember how they were."""
    body = body.strip()
    out: list[str] = []
    end = 0
    for match in re.finditer(_LITERAL, body):
        gap = body[end : match.start()]
        _check_gap(block, gap)
        raw = str(ast.literal_eval(match[0]))
        out.append(gap)
        folded = fold(raw)
        if match.start() == 0:
            folded, block.head = _cut(raw, folded, folded.lstrip(" "))
        if match.end() == len(body):
            before = folded
            folded = folded.rstrip(" ")
            block.tail = raw[len(raw.rstrip(" \t")) :] if folded != before else ""
            raw = raw.rstrip(" \t") if block.tail else raw
        raw = raw.lstrip(" \t") if match.start() == 0 and block.head else raw
        if folded:
            if block.raw_literals.setdefault(folded, raw) != raw:
                raise block.fail(f"two literals fold to {folded!r}; print one of them otherwise")
            out.append(json.dumps(folded, ensure_ascii=False))
        end = match.end()
    _check_gap(block, body[end:])
    return "".join([*out, body[end:]]).strip()


def _cut(raw: str, folded: str, cut: str) -> tuple[str, str]:
    head = raw[: len(raw) - len(raw.lstrip(" \t"))] if cut != folded else ""
    return cut, head


def _check_gap(block: Block, gap: str) -> None:
    if "/" in gap:
        raise block.fail("patterns belong into terminals, and comments above the production")


def _annotate(block: Block, pending: list[tuple[int, str, str]]) -> None:
    for number, key, value in pending:
        try:
            _take(block, key, value)
        except ValueError as error:
            raise GrammarError(block.file, number, f"{block.kind}: {error}") from error
    for key in ("source", "versions"):
        if not block.texts.get(key):
            raise block.fail(f"says nothing about its {key}; add `//: {key}: …`")
    if not block.samples:
        raise block.fail("has no sample; add `//: sample: …` and `//: fields: {…}`")
    told = {"noise", "layer"} & block.flags or "state" in block.texts
    if not block.proves and not told:
        raise block.fail("says nothing about what it proves; add `//: proves: …` or `//: noise`")


def _take(block: Block, key: str, value: str) -> None:
    """Put one annotation into its place; ValueError says what is wrong with it."""
    if key in FLAGS and not value:
        block.flags.add(key)
    elif key in TEXTS and value:
        closed = {"level": LEVELS, "scope": SCOPES, "hint": HINTS, "unpack": UNPACKERS,
                  "state": STATES}.get(key)
        if closed is not None and value.split(" of ")[0] not in closed:
            raise ValueError(f"no such {key}: {value!r}; there are {', '.join(sorted(closed))}")
        if key in block.texts:
            raise ValueError(f"{key} is told twice")
        block.texts[key] = value
    elif key == "proves":
        block.proves.append(read_term(value))
    elif key == "sample" and value:
        block.samples.append(Sample(unescape(value), {}))
    elif key == "fields" and block.samples:
        told = json.loads(value)
        if not isinstance(told, dict):
            raise ValueError("fields is a JSON object")
        block.samples[-1] = Sample(block.samples[-1].text, told)
    else:
        known = ", ".join(sorted(FLAGS | TEXTS | {"proves", "sample", "fields"}))
        raise ValueError(f"cannot use {key}: {value!r}; the annotations are {known}")


def read_term(text: str) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Read `death(domid) when end=crash`: name, arguments, conditions joined by `and`.

    Raises ValueError for anything outside the closed vocabulary.
    """
    match = re.match(_TERM, text)
    if match is None or match["name"] not in TERMS:
        raise ValueError(f"{text!r} proves nothing known; there are {', '.join(sorted(TERMS))}")
    args = tuple(part.strip() for part in (match["args"] or "").split(",") if part.strip())
    least, most = DATING.get(match["name"], (0, 0))
    if len(args) < least or len(args) > (most or len(args)):
        raise ValueError(f"{text!r}: {match['name']} has {len(args)} argument(s)")
    return match["name"], args, tuple(_conditions(match["when"] or ""))


def _conditions(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(" and ") if text else ():
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"{part!r} is no condition; write field=text")
        if value.strip().startswith("~") and "=" not in value:
            raise ValueError(f"{part!r} is no condition; write field=~key=value")
        yield name.strip(), value.strip()
