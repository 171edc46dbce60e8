"""The command `diagnose replay`: one incident step by step, with both ledgers drawn."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from diagnose.cli.shared import hints, tell
from diagnose.console import emit, style_for
from diagnose.options import Question
from diagnose.render import render_replay

if TYPE_CHECKING:
    from diagnose.cli.parameters import (
        Assume,
        At,
        Device,
        Dom0,
        Guest,
        Kernel,
        NoColor,
        Output,
        Paths,
        Quiet,
        ReplayFormat,
        Toolstack,
        Verbose,
        Watch,
        Width,
        Xen,
    )


def replay(
    paths: Paths,
    at: At = None,
    watch: Watch = None,
    assume: Assume = None,
    dom0: Dom0 = None,
    xen: Xen = None,
    guest: Guest = None,
    toolstack: Toolstack = None,
    kernel: Kernel = None,
    device: Device = None,
    form: ReplayFormat = "text",
    output: Output = None,
    width: Width = None,
    no_color: NoColor = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Tell the story of one incident step by step, and draw dom0's and Xen's ledgers."""
    from diagnose.retell import retold

    options = hints(dom0, xen, guest, toolstack, kernel, device)
    result = retold(paths, options, Question(at, watch, assume))
    tell(tuple(remark for remark in result.remarks
               if not quiet or remark.code == "unreadable-input"))
    target = None if output else sys.stdout
    verbosity = int(verbose) - int(quiet)
    style = style_for(target, os.environ, width=width, no_color=no_color, verbosity=verbosity)
    emit(render_replay(result, form, style), output)
