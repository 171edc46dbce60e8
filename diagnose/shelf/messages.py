"""The message catalogue: text, who prints it and where, what it proves, what to do, a sample.

A text is put together from the derived catalogue, with the names of its fields in angle brackets;
nothing about a message is written down here.

**Invariant:** what is shown of a message is what its lines are read by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from diagnose import explain_line, grammar
from diagnose.annotation import FOLDABLE
from diagnose.catalogue_file import grammar_directory
from diagnose.errors import UsageError
from diagnose.events import LEVELS, Production, Term
from diagnose.explain_line import LineReading
from diagnose.glossary import load_glossary
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import count, sentence
from diagnose.shelf.facts import rules_naming
from diagnose.shelf.sheet import (
    Shelf,
    as_json,
    columns,
    find,
    head,
    lead,
    pairs,
    row,
    rows,
    spelling,
    suggestion,
    told,
)
from diagnose.values import FIELD_TYPES
from emulator.vocabulary import EMITS

SPEAKERS = ("dom0", "xen", "guest", "linux", "toolstack")
"""Who prints a message; `linux`: the kernel of dom0 and of guests alike."""


class MessageSheet(Struct, frozen=True):
    """One message. `forms` are its texts, with optional parts and without; `text` is the longest.

    `acts` are the story ops that print it in the emulator, `rules` name it. `grammar` is the file
    and line of its production.
    """

    id: str
    kind: str
    speaker: str
    level: str | None
    text: str
    forms: tuple[str, ...]
    alarming: bool
    noise: bool
    generic: bool
    scope: str
    hint: str
    source: str
    versions: str
    era: str
    about: str
    todo: str
    near: str
    proves: tuple[Term, ...]
    acts: tuple[str, ...]
    fields: Mapping[str, str]
    samples: tuple[str, ...]
    rules: tuple[str, ...]
    grammar: str


@cache
def names() -> tuple[str, ...]:
    """All catalogue ids, sorted."""
    return tuple(sorted(made.catalogue_id for made in grammar.load().productions))


@cache
def sheet(name: str) -> MessageSheet:
    """All about the message with this catalogue id."""
    catalogue = grammar.load()
    made = catalogue.production(name.replace("-", "_"))
    forms = tuple(sorted(catalogue.forms(made.kind), key=len, reverse=True))
    forms = tuple(dict.fromkeys(re.sub(FOLDABLE, " … ", form).strip() for form in forms))
    place = f"{grammar_directory().name}/{catalogue.place(made.kind)}"
    return MessageSheet(
        id=name, kind=made.kind, speaker=made.file, level=made.level, text=forms[0], forms=forms,
        alarming=made.alarming, noise=made.noise, generic=made.generic, scope=made.scope,
        hint=made.hint, source=made.provenance, versions=made.versions, era=made.era,
        about=made.about, todo=made.todo, near=made.near_miss, proves=made.proves,
        acts=tuple(act for act, kinds in EMITS.items() if made.kind in kinds),
        fields={field: FIELD_TYPES[kind].meaning for field, kind in made.field_types.items()},
        samples=made.samples, rules=rules_naming(made.kind), grammar=place,
    )


def chosen(
    words: Sequence[str] = (),
    speaker: str | None = None,
    alarming: bool = False,
    proves: str | None = None,
    noise: bool | None = None,
) -> list[MessageSheet]:
    """The messages that fit all that is asked; `words` stand in id, text or about, in any case.

    Raises UsageError for a speaker that does not exist, and for a term that no line can prove.
    """
    if speaker is not None and speaker not in SPEAKERS:
        raise UsageError(f"No speaker is called {speaker!r}. {suggestion(speaker, SPEAKERS)}")
    if proves is not None and proves not in proof_terms():
        raise UsageError(f"No line proves {proves!r}. {suggestion(proves, proof_terms())}")
    return [each for each in map(sheet, names())
            if (speaker is None or each.speaker == speaker)
            and (each.alarming or not alarming)
            and (noise is None or each.noise == noise)
            and (proves is None or any(term.name == proves for term in each.proves))
            and all(word.casefold() in _searched(each) for word in words)]


def proof_terms() -> tuple[str, ...]:
    """The terms that some line proves."""
    return tuple(sorted({term.name for made in grammar.load().productions for term in made.proves}))


def _searched(each: MessageSheet) -> str:
    return " ".join((each.id, each.kind, each.text.replace(" … ", " "), each.about)).casefold()


# --- A table of them -------------------------------------------------------------------------


def listed(sheets: Sequence[MessageSheet], form: str, style: Style) -> str:
    """Messages as a table, or as a JSON list."""
    if form == "json":
        return as_json(sheets)
    paper = Paper(style)
    columns(paper, [(_cells(each), each.text) for each in sheets])
    paper.blank()
    alarming, noise = sum(each.alarming for each in sheets), sum(each.noise for each in sheets)
    paper.put(("faint", f"{count(len(sheets), 'message')}, {alarming} alarming (!), {noise} known "
                        f"noise"), indent=1)
    return paper.text()


def _cells(each: MessageSheet) -> tuple[Piece, ...]:
    loud = "!" if each.alarming else " "
    tone = "faint" if each.noise else "strong"
    return ((tone, each.id), each.speaker, ("bad", loud), (_tone(each), each.level or "–"))


def _tone(each: MessageSheet) -> str:
    level = (each.level or "").removeprefix("g")
    rank = LEVELS.index(level) if level in LEVELS else len(LEVELS)
    return "bad" if rank <= LEVELS.index("err") else "doubt" if level == "warning" else "faint"


# --- One of them -----------------------------------------------------------------------------


def write(paper: Paper, each: MessageSheet) -> None:
    """One message for people."""
    for form in each.forms:
        paper.put(("quote", form), indent=3, hang=5)
    paper.blank()
    if each.about:
        lead(paper, each.about)
    row(paper, "what to do", sentence(each.todo))
    row(paper, "printed by", f"{_who(each)} · ", ("faint", each.source))
    row(paper, "level", (_tone(each), each.level or "not known"), _standing(each))
    row(paper, "versions", each.versions)
    row(paper, "era", each.era)
    pairs(paper, "proves", [_proof(term) for term in each.proves])
    row(paper, "at steps", ", ".join(each.acts))
    pairs(paper, "fields", tuple(each.fields.items()))
    row(paper, "named by", ", ".join(each.rules))
    row(paper, "near miss", sentence(each.near))
    rows(paper, "sample" if len(each.samples) == 1 else "samples",
         [(("quote", visible(sample)),) for sample in each.samples])
    row(paper, "grammar", ("place", each.grammar))


def _who(each: MessageSheet) -> str:
    who = {"linux": "any Linux kernel, dom0's or a guest's", "dom0": "dom0's kernel",
           "guest": "a guest's kernel", "xen": "the hypervisor", "toolstack": "the toolstack"}
    return who.get(each.speaker, each.speaker)


def _standing(each: MessageSheet) -> str:
    """What a report does with a line of this message, apart from what it proves."""
    parts = [
        "alarming: a report has to account for it" if each.alarming else "",
        "known noise: counted, never an event" if each.noise else "",
        "tried after all other messages" if each.generic else "",
        "hosts print it without any passthrough as well" if each.scope else "",
        f"implies an {each.hint.upper()} domain" if each.hint == "hvm" else "",
        f"implies a {each.hint.upper()} domain" if each.hint == "pv" else "",
    ]
    return "".join(f"; {part}" for part in parts if part)


def _proof(term: Term) -> tuple[str, Piece]:
    args = f"({', '.join(term.args)})" if term.args else ""
    when = " and ".join(f"{name} is {text}" for name, text in term.when)
    meaning = {word.name: word.what for word in load_glossary()}.get(term.name, "")
    return term.name + args, f"if {when}: {meaning}" if when else meaning


def visible(sample: str) -> str:
    """A printed line with its tabs, and blanks at an end or in a run, written out."""
    written = re.sub(r" +$|  +", lambda run: "\\x20" * len(run[0]), sample)
    return written.replace("\t", "\\t")


SHELF = Shelf("message", names, sheet, write)


# --- A line instead of a name ----------------------------------------------------------------


def shown(text: str, form: str, style: Style) -> str:
    """The message of that id, or the one that reads the raw line `text`, or the nearest to it.

    Raises UsageError if there is neither.
    """
    if spelling(text) in names() or not any(letter.isspace() for letter in text.strip()):
        return told(SHELF, find(SHELF, text), form, style)
    reading = explain_line.explain(text)
    if reading.production is None:
        raise UsageError("No message reads this line and none comes near it; `messages list "
                         "WORD…` looks for words.")
    found = sheet(reading.production.catalogue_id)
    if form == "json":
        return as_json({"is": SHELF.noun, **_read(reading), "message": found})
    paper = Paper(style)
    head(paper, found.id, SHELF.noun)
    for mark, piece in _reading(reading, reading.production):
        row(paper, mark, piece)
    paper.blank()
    write(paper, found)
    return paper.text()


def _read(reading: LineReading) -> dict[str, object]:
    fields = {name: value if isinstance(value, int) else str(value)
              for name, value in (reading.fields or {}).items()}
    return {"line": reading.text, "verdict": reading.verdict, "speaker": reading.speaker,
            "fields": fields, "column": reading.column, "expected": reading.expected}


def _reading(reading: LineReading, made: Production) -> Iterator[tuple[str, Piece]]:
    """How the line was read, or where the nearest message stops to fit."""
    yield "the line", ("quote", reading.payload)
    if reading.column is None:
        yield "is read as", ("good", made.catalogue_id)
        told = ", ".join(f"{name} = {value}" for name, value in (reading.fields or {}).items())
        yield "with", told
    else:
        yield "is near to", ("doubt", made.catalogue_id)
        yield "broke at", f"column {reading.column}, expected {reading.expected}"
