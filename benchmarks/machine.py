"""What a benchmark was run on, for the head of its results."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> list[str]:
    """What it was measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    usable = len(os.sched_getaffinity(0))
    return [
        f"machine: {names[0] if names else platform.machine()}, {usable} processors usable, "
        f"Linux {platform.release()}",
        f"Python {platform.python_version()} ({platform.python_implementation()}), "
        f"load average at the end {os.getloadavg()[0]:.1f}",
    ]
