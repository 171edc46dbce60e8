"""The wheel, installed where no checkout is: grammars, rules and fixes have to travel with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = sorted((ROOT / "corpus" / "demo").glob("*.log"))


def call(*words: str | Path, cwd: Path, expect: int = 0) -> str:
    """Run a command without this checkout on its path; returns its standard output."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGNOSE"))}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and, by a path file, the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    call(*build, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps")
    call(*pip, "--no-index", wheel, cwd=folder)
    own = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    # The editable install of the checkout lives in the same place as the libraries, so it is
    # appended after the wheel and never found first.
    libraries = sysconfig.get_path("purelib")
    (Path(own.strip()) / "libraries.pth").write_text(libraries + "\n")
    return folder


@pytest.mark.slow
def test_the_installed_command_diagnoses_the_demo(installed: Path, tmp_path: Path) -> None:
    command = installed / "venv" / "bin" / "diagnose"
    told = json.loads(call(command, "log", "--format", "json", *DEMO, cwd=tmp_path, expect=1))
    assert told["verdict"] == "fault"
    where = "import diagnose, emulator; print(diagnose.__file__, emulator.__file__)"
    python = installed / "venv" / "bin" / "python"
    for file in call(python, "-c", where, cwd=tmp_path).split():
        assert Path(file).is_relative_to(installed)


@pytest.mark.slow
def test_the_wheel_holds_all_data_and_no_tests(installed: Path) -> None:
    from zipfile import ZipFile

    (wheel,) = installed.glob("*.whl")
    held = set(ZipFile(wheel).namelist())
    wanted = {
        f"diagnose/{path.relative_to(ROOT / 'diagnose')}"
        for path in (ROOT / "diagnose").rglob("*")
        if path.suffix in {".py", ".toml", ".json", ".typed"} and path.is_file()
    }
    wanted |= {f"emulator/{path.name}" for path in (ROOT / "emulator").glob("*.py")}
    wanted |= {f"diagnose/_grammars/{path.name}" for path in (ROOT / "grammars").glob("*.lark")}
    assert wanted <= held
    assert not [name for name in held if name.startswith(("tests/", "corpus/"))]


@pytest.mark.slow
def test_the_installed_package_brings_its_plugin(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "one.case").write_bytes((ROOT / "corpus" / "noise-alone.case").read_bytes())
    pytest_there = (installed / "venv" / "bin" / "python", "-m", "pytest", "-p", "no:cacheprovider")
    nothing = call(*pytest_there, "--rootdir", tmp_path, ".", cwd=tmp_path, expect=5)
    assert "no tests ran" in nothing
    assert "1 passed" in call(*pytest_there, "--rootdir", tmp_path, "--diagnose-cases", ".",
                              cwd=tmp_path)
