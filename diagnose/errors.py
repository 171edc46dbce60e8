"""Every error that this program raises on purpose, under one root.

    DiagnoseError                 root: catch this to catch all of them
    ├── UsageError                a wrong option or value: what was seen, what would have been right
    ├── InputError                nothing that could be read, or inputs that do not belong together
    └── DataError                 the program's own data are broken; it knows file, line and column
        ├── GrammarError          a grammar file that cannot be used
        └── RuleError             a rule, fix or kernel table that cannot be used

Odd log text is never an error: it becomes a near miss, an unknown line or a remark. A DataError is
raised while loading and never while reading a log.

**Invariant:** a message says what was seen, why that is a problem and what to do.
"""

from __future__ import annotations


class DiagnoseError(Exception):
    """Root of all errors; ``str()`` of one is a text for people, without a traceback."""

    exit_status = 2
    """What the command exits with when nothing handles the error."""


class UsageError(DiagnoseError):
    """The command or the caller asked for something that does not exist."""


class InputError(DiagnoseError):
    """No input could be read, or the inputs are not of one host."""


class DataError(DiagnoseError):
    """The program's own data are broken: a place in a file, and what is wrong there."""

    def __init__(self, file: str, line: int | None, what: str, column: int | None = None) -> None:
        """`line` and `column` count from 1; None where only the file is known."""
        self.file = file
        self.line = line
        self.column = column
        self.what = what
        place = [file, *(str(part) for part in (line, column) if part is not None)]
        super().__init__(f"{':'.join(place)}: {what}")


class GrammarError(DataError):
    """A grammar file breaks the rules for grammars."""


class RuleError(DataError):
    """A rule, a fix or a table of kernel rows breaks its schema or names what does not exist."""


def nearest(word: str, known: tuple[str, ...], count: int = 3) -> tuple[str, ...]:
    """The names of `known` that look most like `word`, best first, for "did you mean"."""
    from difflib import get_close_matches

    return tuple(get_close_matches(word, known, n=count, cutoff=0.5))
