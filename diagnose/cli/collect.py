"""The command `diagnose collect`: the script that gathers what a diagnosis needs."""

from __future__ import annotations

from diagnose.cli.shared import Output
from diagnose.console import emit


def collect(output: Output = None) -> None:
    """Print a shell script that gathers on a Xen host what a diagnosis needs.

    Run it as root in dom0: `diagnose collect > collect.sh`, there `sh collect.sh`.
    """
    from diagnose.collect import script

    emit(script(), output)
