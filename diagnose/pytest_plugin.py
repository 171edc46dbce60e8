"""Cases as tests of pytest: each `*.case` file is one test item.

    pytest --diagnose-cases corpus            # or, in the ini file: diagnose_cases = true
    pytest --diagnose-cases corpus --diagnose-update

It is loaded wherever this package is installed beside pytest, so it does nothing unless the switch
or the ini option says so.

**Invariant:** an item does what `diagnose rules test` does with the file, and its failure reads
alike; the rest of the program is loaded when the first case is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from diagnose.outcome import Tried

UPDATED = "diagnose_updated"
"""Name of the property under which an item reports that its golden report was written."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switches, and the ini option for a project that always wants its cases tried."""
    group = parser.getgroup("diagnose", "cases of diagnose")
    group.addoption("--diagnose-cases", action="store_true",
                    help="try every *.case file in the directories that are collected")
    group.addoption("--diagnose-update", action="store_true",
                    help="write golden reports anew where every header of the case is right")
    group.addoption("--diagnose-rules", metavar="DIR",
                    help="judge by the rules in DIR as well")
    parser.addini("diagnose_cases", "try *.case files, as --diagnose-cases does", type="bool",
                  default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A collector for a case file, if cases are wanted."""
    config = parent.config
    if file_path.suffix != ".case" or not (
            config.getoption("diagnose_cases") or config.getini("diagnose_cases")):
        return None
    return CaseFile.from_parent(parent, path=file_path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell which files were written."""
    written = [report.nodeid for reports in terminalreporter.stats.values() for report in reports
               if (UPDATED, True) in getattr(report, "user_properties", ())]
    if written:
        terminalreporter.section("golden reports written; look at them before you keep them")
        for nodeid in sorted(set(written)):
            terminalreporter.line(nodeid)


class CaseFile(pytest.File):
    """A case file; it holds one item."""

    def collect(self) -> Iterator[pytest.Item]:
        """The item, called after the file."""
        yield CaseItem.from_parent(self, name=self.path.stem)


class CaseItem(pytest.Item):
    """One case to be tried."""

    def runtest(self) -> None:
        """Try the case. Raises CaseError, or DiagnoseError where it cannot be tried."""
        from diagnose.casecheck import check
        from diagnose.options import Options

        rules = self.config.getoption("diagnose_rules")
        tried = check(self.path, Options(rules=rules), self.config.getoption("diagnose_update"))
        if tried.state == "updated":
            self.user_properties.append((UPDATED, True))
        if not tried.good:
            raise CaseError(tried)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The difference as text; a traceback only where this program itself has gone wrong."""
        from diagnose.errors import DiagnoseError

        if isinstance(excinfo.value, (CaseError, DiagnoseError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item stands, and what its failure is headed with."""
        return self.path, None, f"case {self.name}"


class CaseError(Exception):
    """The diagnosis of a case is not what the case expects; ``str()`` tells the difference."""

    def __init__(self, tried: Tried) -> None:
        """The result of the attempt."""
        from diagnose.render.cases import explanation
        from diagnose.render.paper import Style

        super().__init__(explanation(tried, Style(width=100)).rstrip("\n"))
