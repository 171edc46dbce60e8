"""Whoever runs the tests may have a configuration of his own; it must not change what they see."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_configuration() -> None:
    os.environ.pop("DIAGNOSE_CONFIG", None)
    os.environ["XDG_CONFIG_HOME"] = os.devnull      # no directory, so that nothing lies below it
