"""The command `diagnose`: what people type, turned into calls of the stages and into a status.

Exit status of `log`: 0 no fault, 1 at least one fault, 2 wrong usage or nothing that could be read,
3 inconclusive when `--fail-on inconclusive` asks for it.

Each module here holds the commands of one subject; `app` knows which there are, `parameters` their
options, and `shared` what else they share. `calls` answers where typer need not be asked.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence

from diagnose.cli.calls import answered
from diagnose.errors import DiagnoseError

GARBAGE_AFTER = 10_000
"""So many new objects are let grow before the youngest are searched for garbage: what a start makes
stays, and the ordinary 700 have it searched a hundred times."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; errors are told on standard error."""
    try:
        if not answered(arguments):
            from diagnose.cli.app import app

            app(list(arguments), prog_name="diagnose")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except DiagnoseError as error:
        from diagnose.console import complain

        complain("error", str(error))
        return error.exit_status
    except Exception:
        # Status 1 would say "fault", and a mistake in this program must not accuse anybody's host.
        import traceback

        from diagnose.console import complain

        complain("internal error", "this is a mistake in diagnose itself; no verdict was reached")
        traceback.print_exc()
        return 2
    return 0


def main() -> None:
    """Entry point of the command."""
    # An interrupt ends the process as it ends any other filter: at once and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(GARBAGE_AFTER)
    sys.exit(run(sys.argv[1:]))
