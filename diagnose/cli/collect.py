"""The command `diagnose collect`: the script that gathers what a diagnosis needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.console import emit

if TYPE_CHECKING:
    from diagnose.cli.parameters import Output


def collect(output: Output = None) -> None:
    """Print a shell script that gathers on a Xen host what a diagnosis needs.

    Run it as root in dom0: `diagnose collect > collect.sh`, there `sh collect.sh`.
    """
    from diagnose.collect import script

    emit(script(), output)
