"""Short names: as short as they can be, and never ambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.render.names import brief


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["dom0.log"], ["dom0.log"]),
        (["../logs/dom0.log", "/var/log/xen.log"], ["dom0.log", "xen.log"]),
        (["a/dom0.log", "b/dom0.log"], ["a/dom0.log", "b/dom0.log"]),
        (["x/a/dom0.log", "x/b/dom0.log", "x/b/xen.log"], ["a/dom0.log", "b/dom0.log", "xen.log"]),
        (["dom0.log", "old/dom0.log"], ["dom0.log", "old/dom0.log"]),
        (["sos.tar.xz!host/var/log/messages", "-"], ["messages", "<stdin>"]),
        (["a.tar!messages", "b.tar!messages"], ["a.tar!messages", "b.tar!messages"]),
        (["-", "<stdin>"], ["-", "<stdin>"]),
        (["odd/", "/", ""], ["odd/", "/", ""]),
    ],
)
def test_examples(paths: list[str], names: list[str]) -> None:
    assert brief(paths) == dict(zip(paths, names))


@given(st.lists(st.text("ab/!", max_size=6), unique=True, max_size=6))
def test_names_are_endings_and_unambiguous(paths: list[str]) -> None:
    names = brief(paths)
    assert list(names) == paths
    assert len(set(names.values())) == len(paths)
    for path, name in names.items():
        assert path.endswith(name)
        assert name == path or name not in names
