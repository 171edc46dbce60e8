"""What is answered without typer is what typer would answer: pages of help, and calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.core import TyperArgument, TyperOption

from diagnose import cli
from diagnose.cli import calls, usage
from diagnose.cli.app import COMMANDS, app, whole
from diagnose.cli.usage import Option, Usage, usages
from diagnose.render import FORMATS, REPLAY_FORMATS
from tests.face import snapshot

LIGHT = ("collect", "line", "log", "replay", "triage")
"""The commands whose modules do without typer."""


def declared(command: Any) -> Usage:
    """What typer's declaration of a command comes to."""
    options, words, many = dict[str, Option](), "", False
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            words, many = str(parameter.name), parameter.nargs == -1
        elif isinstance(parameter, TyperOption) and parameter.callback is None:
            kind = vars(parameter.type)
            one = Option(
                str(parameter.name), True if parameter.is_flag else None, parameter.multiple,
                "clamp" in kind, kind.get("min"), kind.get("max"), tuple(kind.get("choices", ())))
            options |= dict.fromkeys(parameter.opts, one)
            options |= dict.fromkeys(parameter.secondary_opts, msgspec.structs.replace(
                one, flag=False))
    return Usage(dict(sorted(options.items())), words, many)


def test_the_usages_are_what_typer_was_told() -> None:
    wanted = {name: declared(whole(name)) for name in LIGHT}
    text = msgspec.json.format(msgspec.json.encode(wanted), indent=1).decode() + "\n"
    snapshot.check(str(usage.FILE), text)


@pytest.mark.parametrize("name", ["diagnose", *COMMANDS])
def test_a_page_is_what_typer_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app([name, "--help"][name == "diagnose":], prog_name="diagnose")
    assert end.value.code == 0
    page = capsys.readouterr().out
    snapshot.check(f"{calls.PAGES}/{name}.txt", page)
    for word in calls.HELP:
        assert cli.run([*[name][name == "diagnose":], word]) == 0
        assert capsys.readouterr().out == page


@contextmanager
def recorded(name: str) -> Iterator[list[Mapping[str, object]]]:
    """What a command is called with, instead of being run; defaults included."""
    module = import_module(f"diagnose.cli.{name}")
    command = getattr(module, name)
    whole(name)     # typer's own types stand in its annotations from here on
    signature, heard = inspect.signature(command), list[Mapping[str, object]]()

    def instead(**given: object) -> None:
        bound = signature.bind(**given)
        bound.apply_defaults()
        heard.append(bound.arguments)

    vars(instead)["__signature__"] = signature
    with mock.patch.object(module, name, instead):
        yield heard


def typers(name: str, arguments: list[str]) -> list[Mapping[str, object]]:
    """What typer calls a command with; nothing where it sees a mistake."""
    with recorded(name) as heard, redirect_stdout(StringIO()), redirect_stderr(StringIO()), \
            suppress(SystemExit):
        app([name, *arguments], prog_name="diagnose")
    return heard


ANSWERED = [
    "log a.log b.log", "log - --fail-on never", "log a --guest g=f --guest=h=-f --dom0 a",
    "triage corpus --jobs 1", "triage -j 2 a -q --format jsonl",
    "log a -o x --width 100 --color", "log a --format=json -v --no-color",
    "replay a --at a:3 --watch 01:10.0/0", "line text -v", "line -", "collect",
    "collect --output=x", "log a --output=",
]
LEFT = [
    "log", "log a --kernel el5", "log a --device 01:10.0", "log a --format xml",
    "log --nonsense a", "log a --width 49", "log a --width x", "log a --width", "log a -o",
    "log a -ox", "log a -qv", "log a -q=1", "log a --quiet=1", "log a -- -b", "log a -o x -o y",
    "log a -o -", "log a --wid 90", "line", "line a b", "collect a", "triage a --jobs 0",
    "triage a -j ٣", "triage a -j 9999999999",
]


@pytest.mark.parametrize("text", ANSWERED)
def test_what_needs_no_typer(text: str) -> None:
    name, *arguments = text.split(" ")
    with recorded(name) as heard:
        assert calls.answered([name, *arguments])
    assert heard == typers(name, arguments)
    assert len(heard) == 1


@pytest.mark.parametrize("text", LEFT)
def test_what_is_left_to_typer(text: str) -> None:
    name, *arguments = text.split(" ")
    with recorded(name) as heard:
        assert not calls.answered([name, *arguments])
    assert heard == []


OPTIONS = sorted({option for name in LIGHT for option in declared(whole(name)).options})
WORDS = st.sampled_from(
    [*OPTIONS, "a", "b.log", "-", "--", "", "1", "50", "0", "-1", "text", "json", "jsonl", "never",
     "g=f", "=", "--help", "-h"])
TOKENS = WORDS | st.builds("{}={}".format, WORDS, WORDS) | st.text(max_size=4)


@given(name=st.sampled_from(LIGHT), arguments=st.lists(TOKENS, max_size=6))
def test_a_call_is_the_one_that_typer_makes(name: str, arguments: list[str]) -> None:
    with recorded(name) as heard:
        done = arguments[-1:] not in (["--help"], ["-h"]) and calls.answered([name, *arguments])
    assert heard == (typers(name, arguments) if done else [])


@pytest.mark.parametrize("name", calls.ASKED)
def test_what_the_environment_asks_for_is_typers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "something")
    assert not calls.answered(["log", "--help"])
    assert not calls.answered(["log", "a"])


def test_with_a_configuration_everything_is_typers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with recorded("log") as heard:
        assert calls.answered(["log", "a"])
        (tmp_path / "diagnose" / "config.toml").mkdir(parents=True)
        assert not calls.answered(["log", "a"])
    assert len(heard) == 1


def test_a_narrow_terminal_gets_a_page_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert cli.run(["log", "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.split("\n"))) <= 60


def test_formats_are_those_that_there_are() -> None:
    assert usages()["log"].options["--format"].choices == tuple(FORMATS)
    assert usages()["replay"].options["--format"].choices == tuple(REPLAY_FORMATS)
