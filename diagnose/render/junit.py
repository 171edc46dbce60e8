"""Test results as JUnit XML, the form that continuous integration reads.

Logs hold characters that no XML document may hold, not even escaped; those are written as visible
escapes, like everywhere else in this program.

**Invariant:** a document is well-formed whatever the texts hold, and says nothing of when and where
it was made, so that the same results differ in their times alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal
from xml.etree import ElementTree

from msgspec import Struct
from msgspec.structs import replace

from diagnose.outcome import Tried
from diagnose.render.cases import explanation
from diagnose.render.paper import Style
from diagnose.render.safe import neutral

STYLE = Style(width=100, verbosity=1)


class Result(Struct, frozen=True):
    """One test: `problem` is None if it passed, a failure if it was run, an error if not.

    `message` is a line, `text` what there is to read of it.
    """

    classname: str
    name: str
    seconds: float
    problem: Literal["failure", "error"] | None = None
    message: str = ""
    text: str = ""


def document(name: str, results: Sequence[Result]) -> str:
    """The XML document with one suite called `name`."""
    kinds = [result.problem for result in results]
    counts = {
        "tests": str(len(results)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", {"name": neutral(name), **counts})
    for result in results:
        case = ElementTree.SubElement(suite, "testcase", {
            "classname": neutral(result.classname), "name": neutral(result.name),
            "time": f"{result.seconds:.3f}"})
        if result.problem:
            problem = ElementTree.SubElement(case, result.problem,
                                             {"message": neutral(result.message)})
            problem.text = "\n".join(neutral(line) for line in result.text.split("\n"))
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def cases(tried: Sequence[Tried]) -> str:
    """The document for cases that were tried; the class of a test is its directory."""
    return document("diagnose rules test", [_result(each) for each in tried])


def _result(each: Tried) -> Result:
    path = PurePath(each.path)
    result = Result(str(path.parent), path.stem, each.seconds)
    if each.good:
        return result
    message = each.error or "; ".join(map(str, each.differences)) or each.note
    return replace(result, problem="error" if each.error else "failure", message=message,
                   text=explanation(each, STYLE))
