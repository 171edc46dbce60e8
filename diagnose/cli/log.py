"""The command `diagnose log`: one incident, one report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from diagnose.cli.shared import exit_status, hints, tell
from diagnose.console import emit, style_for
from diagnose.render import render

if TYPE_CHECKING:
    from diagnose.cli.parameters import (
        Device,
        Dom0,
        FailOnOption,
        Format,
        Guest,
        Kernel,
        NoColor,
        Output,
        Paths,
        Quiet,
        Toolstack,
        Verbose,
        Width,
        Xen,
    )


def log(
    paths: Paths,
    dom0: Dom0 = None,
    xen: Xen = None,
    guest: Guest = None,
    toolstack: Toolstack = None,
    kernel: Kernel = None,
    device: Device = None,
    form: Format = "text",
    output: Output = None,
    fail_on: FailOnOption = "fault",
    width: Width = None,
    no_color: NoColor = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Diagnose one incident of one host from its logs."""
    from diagnose.pipeline import diagnose as conclude

    options = hints(dom0, xen, guest, toolstack, kernel, device)
    result = conclude(paths, options)
    tell(tuple(remark for remark in result.remarks
               if not quiet or remark.code == "unreadable-input"))
    target = None if output else sys.stdout
    verbosity = int(verbose) - int(quiet)
    style = style_for(target, os.environ, width=width, no_color=no_color, verbosity=verbosity)
    emit(render(result, form, style), output)
    raise SystemExit(exit_status(result.verdict, fail_on))
