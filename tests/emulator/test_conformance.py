"""The emulator against traces of the real kernel code: every return, line and ledger, every step.

The two files beside this one are the named scenarios and a sample of the random sequences; `make
conform` replays the full set.
"""

from __future__ import annotations

import collections
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.errors import Refusal
from emulator.invariants import check
from emulator.kernels import row
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pcifront import DEV_NOT_FOUND
from emulator.records import BACKEND_CONNECTED
from emulator.state import State
from tests.conform import operations
from tests.conform.__main__ import main
from tests.conform.operations import OPERATIONS, WORDS, perform
from tests.conform.reading import HYPERVISORS, VARIANTS, Scenario, read
from tests.conform.trace import ORDER, Replay, replay

HERE = Path(__file__).parent
SAMPLES = ("scenarios.jsonl.gz", "random.jsonl.gz")
DEVICE = PciAddress.parse("0000:01:10.0")
CRASHES = {("xen", "invalid memory access"), ("xen", "BUG_ON(desc->status & IRQ_GUEST)")}


def first(name: str = "scenarios.jsonl.gz") -> Scenario:
    return next(read(HERE / name))


@pytest.mark.parametrize("name", SAMPLES)
def test_emulator_reproduces_the_sample(name: str) -> None:
    differences = [each for scenario in read(HERE / name) for each in replay(scenario)[:1]]
    assert differences == []


def test_sample_holds_every_operation_variant_hypervisor_crash_and_word() -> None:
    found: dict[str, set[object]] = collections.defaultdict(set)
    for name in SAMPLES:
        for scenario in read(HERE / name):
            found["under"].add((scenario["variant"], scenario["xen"]))
            for step in scenario["steps"]:
                found["op"].add(step["op"])
                if "crash" in step:
                    found["crash"].add((step["crash"]["who"], step["crash"]["what"]))
                elif isinstance(step.get("ret"), str):
                    found["word"].add(step["ret"])
    assert found["op"] == {"init", *OPERATIONS}
    assert found["under"] == {(variant, xen) for variant in VARIANTS for xen in HYPERVISORS}
    assert found["crash"] == CRASHES
    words = {word for word in WORDS.values() if isinstance(word, str)}
    # In no recording anybody asks for a guest that does not run.
    assert found["word"] == {"unbound", *words} - {"nodom"}


def test_every_refusal_has_a_word() -> None:
    assert set(WORDS) == set(Refusal)


def test_no_reached_state_breaks_a_law_of_the_ledgers() -> None:
    for scenario in read(HERE / "random.jsonl.gz"):
        run = Replay(scenario)
        for index, step in enumerate(scenario["steps"]):
            run.run(index, step)
            if "crash" in step:
                break
            check(run.state)


def test_a_guest_that_connects_again_keeps_what_it_knew() -> None:
    """TRACE-FORMAT.md, section 4: only a device that was never known is no device of the guest."""
    ledgers = Ledgers(row("el5").traits, State.boot(pciback_loaded=False))
    story: list[tuple[str, dict[str, object], int | str]] = [
        ("pciback_load", {}, 0),
        ("seize", {"dev": DEVICE}, 0),
        ("domain_create", {"dom": 1, "kind": "pv", "hold": 0}, 0),
        ("assign", {"dom": 1, "devs": (DEVICE,), "force": 0}, 0),
        ("disable_msix", {"dom": 1, "dev": DEVICE}, "nodev"),
        ("fe_connect", {"dom": 1}, BACKEND_CONNECTED),
        ("unbind", {"dev": DEVICE}, 0),
        ("disable_msix", {"dom": 1, "dev": DEVICE}, DEV_NOT_FOUND),
        ("fe_connect", {"dom": 1}, BACKEND_CONNECTED),
        ("disable_msix", {"dom": 1, "dev": DEVICE}, DEV_NOT_FOUND),
    ]
    for operation, given, ret in story:
        assert perform(ledgers, operation, given).ret == ret, operation


def drop_a_line(scenario: Scenario) -> None:
    scenario["steps"][2]["log"].pop()


def change_a_flag(scenario: Scenario) -> None:
    scenario["steps"][2]["state"]["pci_dev"]["0000:09:10.0"]["cmd"] = 7


def forget_a_crash(scenario: Scenario) -> None:
    scenario["steps"][2]["crash"] = {"who": "xen", "what": "BUG"}


def lengthen_a_line(scenario: Scenario) -> None:
    scenario["steps"][2]["log"][2][2] += " enabled" * 9


def add_a_component(scenario: Scenario) -> None:
    scenario["steps"][2]["state"]["unheard_of"] = {}


DIVERGENCES: list[tuple[Callable[[Scenario], None], str]] = [
    (drop_a_line, "log[2]:"),
    (drop_a_line, "got ['dom0', 'default', 'PCI: Enabling device 0000:09:10.0 (0000 -> …"),
    (change_a_flag, "pci_dev['0000:09:10.0']['cmd']: expected 7, got 0"),
    (forget_a_crash, "crash: expected BUG in xen, got none"),
    (lengthen_a_line, "log[2][2], from character 50 on:"),
    (lengthen_a_line, "expected …:10.0 (0000 -> 0002) enabled enabled enabled enabled enabled"),
    (lengthen_a_line, "got …:10.0 (0000 -> 0002)'"),
    (add_a_component, "unheard_of: expected {}, got None"),
]


@pytest.mark.parametrize(("change", "line"), DIVERGENCES)
def test_a_divergence_is_told_by_what_differs(
    change: Callable[[Scenario], None],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenario = first()
    change(scenario)
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(scenario) + "\n", encoding="utf-8")
    assert main([str(path)]) == 1
    begin, *told, last = capsys.readouterr().out.splitlines()
    assert begin == "c0/V0 (V0, Xen 3.4.4), step 2: seize"
    assert any(each.strip().startswith(line) for each in told), told
    assert last == f"1 scenarios, {len(scenario['steps'])} steps, 1 diverge"


def test_the_order_of_the_nodes_is_compared() -> None:
    turned = {"a node behind another": 0, "a removed one in its place": 0}
    for scenario in read(HERE / "random.jsonl.gz"):
        for index, step in enumerate(scenario["steps"]):
            nodes = step.get("state", {}).get("msi_dev_list", {})
            if len(nodes) > 1:
                turned["a node behind another"] += 1
                turned["a removed one in its place"] += step["op"] == "device_remove"
                step["state"]["msi_dev_list"] = dict(reversed(nodes.items()))
                (difference,) = replay(scenario)
                assert (difference.step, difference.what) == (index, ORDER)
                assert difference.got == list(nodes)
                break
    assert all(turned.values()), turned


def test_an_exception_of_the_emulator_is_a_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(operations, "OPERATIONS", {**OPERATIONS, "seize": broken})
    difference = replay(first())[0]
    assert (difference.operation, difference.what) == ("seize", "exception")
    assert re.fullmatch(r"test_conformance\.py:\d+: ZeroDivisionError\(\)", str(difference.got))


LINE = json.dumps(first()).encode()
HALF = gzip.compress(LINE + b"\n" + LINE)[:-20]
UNREADABLE = {
    "no JSON": (LINE + b"\n{oops\n" + LINE, ":2: not JSON: ", 2),
    "no UTF-8": (b'{"id": "\xff"}', ":1: not JSON: ", 0),
    "nested without end": (b"[" * 100_000, ":1: not JSON: ", 0),
    "no object": (b"[]", ":1: the scenario is no object", 0),
    "a key too few": (LINE.replace(b'"variant"', b'"kernel"', 1),
                      ":1: the scenario has no key 'variant'", 0),
    "a wrong kind": (LINE.replace(b'"nomsi": false', b'"nomsi": null'),
                     ":1: 'nomsi' of config is no bool", 0),
    "an unknown variant": (LINE.replace(b'"V0"', b'"V9"'), ":1: unknown variant 'V9'", 0),
    "an unknown hypervisor": (LINE.replace(b'"xen": "3.4.4"', b'"xen": "4"'),
                              ":1: unknown xen '4'", 0),
    "an unknown op": (LINE.replace(b'"op": "seize"', b'"op": "sieze"'),
                      ":1: step 2 has the unknown op 'sieze'", 0),
    "an unknown fault": (LINE.replace(b'"op": "seize"',
                                      b'"at": 1, "ret": -1, "kind": "gone", "op": "fault"'),
                         ":1: step 2 has the unknown kind 'gone'; known are map_pirq, ", 0),
    "no argument": (LINE.replace(b'"op": "seize", "dev"', b'"op": "seize", "device"', 1),
                    ":1: step 2, seize, has no key 'dev'", 0),
    "no address": (LINE.replace(b'"op": "seize", "dev": "0000:09:10.0"',
                                b'"op": "seize", "dev": "eth0"', 1),
                   ":1: 'eth0' is no PCI address", 0),
    "no list": (LINE.replace(b'"devs": ["0000:09:10.0"]', b'"devs": 5'),
                ":1: 'devs' of step 4 is no list", 0),
    "gzip cut short": (HALF, ":2: the gzip data end in the middle", 1),
    "gzip damaged": (gzip.compress(LINE)[:60] + b"\0" * 300, ":1: ", 0),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_told_and_the_rest_is_replayed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, complaint, scenarios = UNREADABLE[name]
    path = tmp_path / "trace"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"{path}{complaint}"), err
    assert err.count("\n") == 1
    assert out.splitlines()[-1].startswith(f"{scenarios} scenarios, ")
    assert out.endswith(" 0 diverge\n")


def test_a_trace_is_read_from_a_pipe_and_told_to_one_that_closes() -> None:
    command = [sys.executable, "-m", "tests.conform", "/dev/stdin"]
    for content in (LINE, gzip.compress(LINE + b"\n")):
        done = subprocess.run(command, input=content, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.endswith(b" 0 diverge\n")
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as closed:
        closed.wait()
        done = subprocess.run(command, input=LINE, stdout=closed.stdin, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"")


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nowhere.jsonl.gz"
    assert main([str(path), str(HERE / "scenarios.jsonl.gz")]) == 2
    out, err = capsys.readouterr()
    assert err == f"{path}: No such file or directory\n"
    assert out == "213 scenarios, 6030 steps, 0 diverge\n"
