"""The emulator against traces of the real kernel code: every return, line and ledger, every step.

The two files beside this one are the named scenarios and a sample of the random sequences; the
full set is read where the checkout has a `shared` folder beside it.
"""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from emulator.invariants import check
from tests.conform.__main__ import main
from tests.conform.trace import Replay, read, replay

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "oracle"
SAMPLES = ("scenarios.jsonl.gz", "random.jsonl.gz")


@pytest.mark.parametrize("name", SAMPLES)
def test_emulator_reproduces_the_sample(name: str) -> None:
    differences = [each for scenario in read(HERE / name) for each in replay(scenario)[:1]]
    assert differences == []


@pytest.mark.parametrize("name", ["scenarios.jsonl.gz", "random-visible.jsonl.gz"])
def test_emulator_reproduces_the_full_set(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip("only the sample was replayed: the full set is not beside this checkout")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(", 0 diverge")


def test_sample_holds_every_operation_variant_and_crash() -> None:
    operations: collections.Counter[str] = collections.Counter()
    variants = set()
    crashes = set()
    for name in SAMPLES:
        for scenario in read(HERE / name):
            variants.add((scenario["variant"], scenario["xen"]))
            for step in scenario["steps"]:
                operations[step["op"]] += 1
                if "crash" in step:
                    crashes.add(step["crash"]["what"])
    assert len(operations) == 34
    assert {variant for variant, _ in variants} == {"V0", "V1", "V2", "V3", "V4"}
    assert {xen for _, xen in variants} == {"3.4.4", "3.4.4s"}
    assert len(crashes) == 2


def test_no_reached_state_breaks_a_law_of_the_ledgers() -> None:
    for scenario in read(HERE / "random.jsonl.gz"):
        run = Replay(scenario)
        for index, step in enumerate(scenario["steps"]):
            run.run(index, step)
            if "crash" in step:
                break
            check(run.state)


def test_a_divergence_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    scenario = next(read(HERE / "scenarios.jsonl.gz"))
    scenario["steps"][2]["log"].pop()
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(scenario) + "\n", encoding="utf-8")
    assert main([str(path)]) == 1
    out = capsys.readouterr().out
    assert "c0/V0 (V0), step 2: seize" in out
    assert out.splitlines()[-1] == f"1 scenarios, {len(scenario['steps'])} steps, 1 diverge"
