"""Rule files of the user's own: what is wrong with them, and a new one to be filled in.

**Invariant:** reads what it is pointed at and overwrites nothing.
"""

from __future__ import annotations

from pathlib import Path

from diagnose.errors import InputError, RuleError
from diagnose.facts import vocabulary
from diagnose.render.paper import Paper, Style
from diagnose.render.words import count
from diagnose.rules import RULES, lint
from diagnose.ruleskeleton import skeleton
from diagnose.shelf.facts import built_in, event_kinds
from diagnose.shelf.sheet import as_json


def linted(path: str | None, form: str, style: Style) -> tuple[str, bool]:
    """The mistakes in rule files, and whether there are none.

    A directory is a whole set of rules; a file is one more beside the built-in ones. Raises
    InputError if there is no rule file to read.
    """
    files = _files(RULES if path is None else Path(path))
    shown = {file.name: str(file) for file in files}
    try:
        found = list(lint(files, vocabulary(event_kinds())))
    except OSError as error:
        raise InputError(f"{error.filename}: the rules cannot be read: {error.strerror}.") from None
    if form == "json":
        return as_json([{"file": shown[error.file], "line": error.line, "what": error.what}
                        for error in found]), not found
    return _told(found, shown, style), not found


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        if not files:
            raise InputError(f"{path}: this directory holds no rule file (*.toml).")
        return files
    if not path.exists():
        raise InputError(f"{path}: there is no such rule file or directory.")
    beside = [file for file in sorted(RULES.glob("*.toml")) if file.name != path.name]
    return [*beside, path]


def _told(found: list[RuleError], shown: dict[str, str], style: Style) -> str:
    paper = Paper(style)
    for error in found:
        paper.exact(("place", f"{shown[error.file]}:{error.line}:"), f" {error.what}")
    wrong = len({error.file for error in found})
    if found:
        paper.put(("bad", count(len(found), "mistake")), f" in {count(wrong, 'file')}")
    else:
        paper.put(("good", "no mistake"), f" in {count(len(shown), 'file')}")
    return paper.text()


def begun(name: str, output: str | None) -> str:
    """A rule file to be filled in, written to `output` if that is given and does not exist yet.

    Raises UsageError for a name that cannot be given, InputError where nothing can be written.
    """
    if output is None:
        return skeleton(name, built_in())
    path = Path(output)
    text = skeleton(name, built_in(), path.absolute().parent)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path}: there is a file of that name, and it stays as it is. "
                         "Choose another name, or remove it first.") from None
    except OSError as error:
        raise InputError(f"{path}: the rule cannot be written: {error.strerror}.") from None
    return text
