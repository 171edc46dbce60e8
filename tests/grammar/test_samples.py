"""The sample contract: what stands above a production is true of it."""
from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from diagnose.annotation import Block, fold, read_blocks
from diagnose.catalogue import FILES, STATE_FILES
from diagnose.catalogue_file import grammar_directory
from diagnose.envelope import Peeler
from diagnose.events import Production
from diagnose.explain_line import explain
from diagnose.grammar import load
from diagnose.journal import UNPACKERS
from diagnose.values import FIELD_TYPES
from tests.grammar.kinds import KINDS, PRODUCTIONS

CATALOGUE = load()


def blocks(*files: str) -> Iterator[Block]:
    for file in files:
        path = grammar_directory() / f"{file}.lark"
        yield from read_blocks(path.read_text(encoding="utf-8"), path.name)[1]


MESSAGES = [block for block in blocks(*FILES, *STATE_FILES) if "layer" not in block.flags]
LAYERS = [block for block in blocks("envelope") if "layer" in block.flags]


def kind_of(block: Block) -> str:
    return block.kind


def as_value(told: object) -> object:
    """A list in an annotation is an address: segment, bus, slot, function; or a list of such."""
    return tuple(map(as_value, told)) if isinstance(told, list) else told


@pytest.mark.parametrize("block", MESSAGES, ids=kind_of)
def test_each_sample_has_exactly_one_reading(block: Block) -> None:
    for sample in block.samples:
        payload = fold(sample.text).strip(" ")
        own = KINDS[block.kind]
        accepting = own.accepting(payload)
        exact = [kind for kind in accepting if not own.production(kind).generic]
        assert block.kind in accepting
        assert exact == ([] if "generic" in block.flags else [block.kind])


@pytest.mark.parametrize("block", MESSAGES, ids=kind_of)
def test_each_sample_gives_its_fields(block: Block) -> None:
    for sample in block.samples:
        reading = KINDS[block.kind].parse(sample.text)
        assert reading == (
            block.kind,
            {name: as_value(value) for name, value in sample.fields.items()},
        )


@pytest.mark.parametrize(
    "block", [block for block in MESSAGES if "unprintable" not in block.flags], ids=kind_of
)
def test_what_is_read_can_be_printed_and_read_again(block: Block) -> None:
    for sample in block.samples:
        own = KINDS[block.kind]
        reading = own.parse(sample.text)
        assert reading is not None
        printed = own.print_line(*reading)
        assert printed == sample.text
        assert own.parse(printed) == reading


@pytest.mark.parametrize("block", LAYERS, ids=kind_of)
def test_each_layer_comes_off_its_sample(block: Block) -> None:
    for sample in block.samples:
        envelope = Peeler(CATALOGUE).peel(sample.text)
        told = {name: str(value) for name, value in sample.fields.items()}
        payload = told.pop("payload").strip(" ")
        unpack = CATALOGUE.production(block.kind).unpack
        if unpack:
            entry = UNPACKERS[unpack](payload)
            assert entry is not None
            payload, told = entry.payload, {**told, **entry.told}
        assert envelope.layers == (block.kind,)
        assert (envelope.payload, dict(envelope.told)) == (payload, told)


def test_every_form_of_the_tabs_is_read_alike() -> None:
    raw = "msix entry 2 for dev 09:10:0 are \t\t\t\t       not freed before acquire again."
    forms = [raw, raw.replace("\t", "^I"), raw.replace("\t", "#011"), fold(raw), f"  {raw}  "]
    payloads = {Peeler(CATALOGUE).peel(form).payload for form in forms}
    assert payloads == {fold(raw)}


def test_a_field_name_means_one_type_everywhere() -> None:
    meaning: dict[str, str] = {}
    for production in PRODUCTIONS:
        for name, suffix in production.field_types.items():
            kind = re.split(r"\W", FIELD_TYPES[suffix].meaning)[0]
            assert meaning.setdefault(name, kind) == kind, f"{production.kind}: {name}"


def test_no_field_bears_a_name_that_says_too_little() -> None:
    for production in PRODUCTIONS:
        assert not set(production.field_types) & {"irq", "entry", "domain", "id", "kind", "boot"}


def test_every_field_of_the_vocabulary_is_used() -> None:
    text = (grammar_directory() / "common.lark").read_text(encoding="utf-8")
    defined = {line.split(":")[0] for line in text.split("\n") if line[:1].isupper()}
    used = "\n".join(block.body for block in blocks(*FILES, *STATE_FILES))
    bases = {"SDEC", *FIELD_TYPES} - {"STR"}
    words = {"WORD", "NAME", "REST"}
    assert {name for name in defined - bases - words if name not in used} == set()


def test_what_is_printed_on_the_path_is_told_apart_from_what_looks_like_it() -> None:
    look_alikes = {
        "unmap_vm_area failed for process 3311": "unmap_irq_failed",
        "dev 80 get owner request ignored by lvm": "dom0_get_owner",
        "pirq routing table not found": "xen_pirq_not_mapped",
        "mtrr: type mismatch for e0000000,10000000 old: write-back new: write-combining":
            "irq_handler_type_mismatch",
        "device tap7.0 entered promiscuous mode": "vif_promisc",
        "xenbr0: port 1(peth0) entering disabled state": "bridge_port_state",
        "irq 90, desc: ffffffff8046c480, depth: 1, count: 0, unhandled: 0": "irq_nobody_cared",
    }
    for text, meant in look_alikes.items():
        reading = CATALOGUE.parse(text)
        assert reading is None or reading[0] != meant
        assert reading is None or CATALOGUE.production(reading[0]).noise


@pytest.mark.parametrize("production", PRODUCTIONS, ids=lambda p: p.kind)
def test_noise_proves_nothing_and_alarms_nobody(production: Production) -> None:
    assert not (production.noise and (production.proves or production.alarming))


@pytest.mark.parametrize("production", PRODUCTIONS, ids=lambda p: p.kind)
def test_what_is_no_noise_says_what_it_means_and_an_alarm_what_to_do(
    production: Production,
) -> None:
    assert production.noise or production.about
    assert production.todo or not production.alarming
    for text in (production.about, production.todo, production.near_miss):
        assert not text.endswith(".")
        assert text == " ".join(text.split())


XEN, LINUX = "Command line: /xen.gz", "Kernel command line: ro root=/dev/sda1"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"{XEN} iommu=pv loglvl=all", ["iommu_pv"]),
        (f"{XEN} iommu=on,pv", ["iommu_pv"]),
        (f"{XEN} iommu=pvh", []),
        (f"{XEN} dom0=iommu=pv", []),
        (f"{XEN} iommu=force,no-intremap msi=0", ["no_intremap", "xen_nomsi"]),
        (f"{XEN} msi=off", ["xen_nomsi"]),
        (f"{XEN} nomsi=0", []),
        (f"{LINUX} pci=noacpi,nomsi", ["nomsi"]),
        (f"{LINUX} xpci=nomsi pci=nomsix", []),
        (f"{LINUX} pci_pt_e820_access=on console=tty0", ["e820_access"]),
        (f"{LINUX} pci_pt_e820_access=off", []),
    ],
)
def test_boot_parameters_are_found_as_whole_words(line: str, words: list[str]) -> None:
    proved = explain(line).proves
    assert [word for term in proved for word in term.args if term.name == "option"] == words


def test_printing_refuses_what_the_message_cannot_say() -> None:
    with pytest.raises(ValueError, match="prints"):
        CATALOGUE.print_line("unmap_irq_failed", {})
    with pytest.raises(ValueError, match="no number"):
        CATALOGUE.print_line("unmap_irq_failed", {"pirq": "ff"})
    with pytest.raises(KeyError):
        CATALOGUE.print_line("no_such_message", {})
