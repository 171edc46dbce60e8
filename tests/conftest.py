"""Whoever runs the tests may have a configuration of his own; it must not change what they see."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_configuration() -> None:
    os.environ["DIAGNOSE_CONFIG"] = os.devnull
