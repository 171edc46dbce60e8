"""One made-up incident: a kind and a seed give logs and labels, always the same ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

from tests.synth.console import printed
from tests.synth.kinds import KINDS
from tests.synth.kinds_hazards import HAZARDS
from tests.synth.kinds_host import HOST
from tests.synth.kinds_rare import RARE
from tests.synth.label import label
from tests.synth.stage import play
from tests.synth.wrap import Wrapping, choose, files, kept, seen

ALL = {**KINDS, **RARE, **HOST, **HAZARDS}


class Incident(NamedTuple):
    """Logs by file name, and what is to be found in them."""

    texts: dict[str, str]
    expected: dict[str, Any]

    def save(self, folder: Path) -> list[Path]:
        """Write everything to a folder; answers the paths of the logs."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, text in sorted(self.texts.items()):
            path = folder / name
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        expected = json.dumps(self.expected, indent=1)
        (folder / "expected.json").write_text(expected + "\n", encoding="utf-8")
        return paths


def make(kind: str, seed: int, wrapping: Wrapping | None = None, *, noise: bool = True,
         ) -> Incident:
    """The incident of this kind and seed; `wrapping` overrules how it is kept."""
    rng = random.Random(f"{kind}/{seed}")
    scenario = ALL[kind](rng)
    steps = play(scenario.row, scenario.acts, strict=True)
    if steps is None:
        raise AssertionError("a story that is told has not killed its host")
    chosen = wrapping or choose(rng, scenario)
    records = printed(scenario, steps, rng, banner=chosen.banner)
    left = [r for r in seen(records, chosen, rng)
            if (noise or r.kind != "noise") and kept(r, scenario)]
    if not left:
        chosen, left = chosen._replace(view=("full",)), records
    texts = files(left, chosen, scenario)
    return Incident(texts, label(scenario, chosen, steps, left, texts))
