"""Three diagnoses made by hand, so that the renderers are tested without any engine.

They tell the story of the founding report in small: dom1 leaves its vectors in dom0's record, dom2
is handed the dead pirqs and fails to unmap them. Rule ids and prose only have to look real.
"""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.diagnosis import (
    AssignmentReport,
    Clock,
    Diagnosis,
    Divergence,
    Exposure,
    Finding,
    HarmlessItem,
    InputReport,
    KernelParts,
    KernelReport,
    Missing,
    Recommendation,
    Rival,
    StoryStep,
    Suspicion,
    ToolReport,
    WhatIf,
    Witness,
    finding_id,
)
from diagnose.events import Coverage, Line, Remark

DEVICE = "0000:01:10.0"
OTHER = "0000:01:10.4"
RELEASE = "2.6.18-274.el5xen"


def line(name: str, number: int, text: str) -> Line:
    """Short form for the tables below."""
    return Line(name, number, text)


BOOT = line("dom0.log", 1, f"[    0.000000] Linux version {RELEASE} (mockbuild@example) #1 SMP")
SEIZE = line("dom0.log", 14, f"[   41.200117] pciback {DEVICE}: seizing device")
START1 = line("dom0.log", 18, f"[  102.930627] pciback: vpci: {DEVICE}: assign to virtual slot 0")
LOAD1 = line("dom0.log", 21, "[  105.908256] get owner for dev 80 get 1 ")
START2 = line("dom0.log", 33, f"[  240.986281] pciback: vpci: {DEVICE}: assign to virtual slot 0")
NOT_FREED = tuple(
    line(
        "dom0.log",
        36 + n,
        f"[  248.65{n}064] msix entry {n} for dev 01:10:0 are \t\t\t\t       not freed before "
        "acquire again.",
    )
    for n in range(3)
)
OBTAIN = tuple(
    line("guest2.log", 12 + n, f"Failed to obtain physical IRQ {255 - n}") for n in range(3)
)
UNMAP = (
    line("dom0.log", 44, "[  391.080302] unmap irq ff failed"),
    line("xen.log", 5, "(XEN) irq.c:934: dom2: pirq 255 not mapped"),
    line("dom0.log", 46, "[  391.080602] unmap irq fe failed"),
    line("xen.log", 6, "(XEN) irq.c:934: dom2: pirq 254 not mapped"),
    line("dom0.log", 48, "[  391.080902] unmap irq fd failed"),
    line("xen.log", 7, "(XEN) irq.c:934: dom2: pirq 253 not mapped"),
)
TEARDOWN = tuple(
    line("dom0.log", 60 + n, f"[  512.1{n}0302] unmap irq {pirq:x} failed")
    for n, pirq in enumerate((252, 251))
)
DROPPED = line("xen.log", 9, "(XEN) printk: 12 messages suppressed.")

CAUSE_ID = finding_id("missing-prune", DEVICE, 0)
STATE_ID = finding_id("stale-vector", DEVICE, 0)
SYMPTOM_ID = finding_id("unmap-failure", DEVICE, 0)
ALL_IDS = (CAUSE_ID, STATE_ID, SYMPTOM_ID)

CAUSE = Finding(
    id=CAUSE_ID,
    rule="MSIX001",
    fault="missing-prune",
    title="dom0 kept MSI-X vectors of a domain that is gone",
    severity="error",
    confidence="certain",
    device=DEVICE,
    candidates=(),
    domids=(1,),
    entries=(0, 1, 2),
    pirqs=(253, 254, 255),
    occurrences=1,
    message=(
        f"dom1 ended with vectors of {DEVICE} live in dom0's record, and taking the device back "
        "did not drop them. Xen frees a domain's pirqs when the domain ends, so the record names "
        "pirqs that no longer exist and the next owner will be handed them."
    ),
    proof=(
        "dom1 acquired entry 0 of 0000:01:10.0 at dom0.log:21.",
        "Nothing frees it before dom0.log:36.",
        "dom0.log:36 acquires entry 0 again and finds it taken, so the free never happened.",
    ),
    witness=Witness(lines=(LOAD1, START2, *NOT_FREED), steps=(3, 4, 6), total=5),
    fixes=("rhel-msi-prune-pci-irq-vectors", "workaround-unload-driver"),
    todo="Run a dom0 kernel that forgets a device's vectors when pciback resets it.",
)
STATE = Finding(
    id=STATE_ID,
    rule="MSIX002",
    fault="stale-vector",
    title="a new owner was handed the dead vectors of an earlier one",
    severity="error",
    confidence="certain",
    device=DEVICE,
    candidates=(),
    domids=(2,),
    entries=(0, 1, 2),
    pirqs=(253, 254, 255),
    occurrences=1,
    message=(
        f"dom2 asked for MSI-X vectors of {DEVICE} and dom0 answered from its record, without "
        "asking Xen. The pirqs belong to no living domain, so dom2 cannot bind them and gets "
        "no interrupt."
    ),
    proof=(
        "dom0.log:36 answers entry 0 with the pair (pirq 255, entry 0) that dom1 attached.",
        "guest2.log:12 shows dom2 failing to obtain exactly pirq 255.",
    ),
    witness=Witness(lines=(*NOT_FREED, *OBTAIN), steps=(6, 7), total=6),
    follows=(CAUSE_ID,),
    fixes=("rhel-msi-prune-pci-irq-vectors", "recover-reload-driver"),
    todo="Unload and load the driver again in dom2: the second load gets fresh vectors.",
)
SYMPTOM = Finding(
    id=SYMPTOM_ID,
    rule="MSIX003",
    fault="unmap-failure",
    title="dom0 tried to unmap pirqs that Xen had freed long ago",
    severity="warning",
    confidence="likely",
    device=DEVICE,
    candidates=(),
    domids=(2,),
    entries=(),
    pirqs=(253, 254, 255),
    occurrences=1,
    message=(
        "dom2 unloaded its driver, dom0 asked Xen to unmap the pairs in its record for dom2, and "
        "Xen refused, because they were mapped for dom1."
    ),
    proof=("dom0.log:44 and xen.log:5 are one refusal: ff is 255 in hexadecimal.",),
    witness=Witness(lines=UNMAP, steps=(8,), total=212),
    follows=(STATE_ID,),
    fixes=("rhel-msi-prune-pci-irq-vectors",),
    rival=Rival(
        "dom2 freed the pirqs itself before dom0 did",
        "a Xen console with the lines between dom0.log:38 and dom0.log:44",
    ),
    todo="Nothing: these messages stop once the cause is gone.",
)

STORY = (
    StoryStep("host_boot", {}, "observed", (BOOT,)),
    StoryStep("seize", {"device": DEVICE}, "observed", (SEIZE,)),
    StoryStep("domain_start", {"domid": 1, "device": DEVICE, "kind": "pv"}, "observed", (START1,)),
    StoryStep(
        "driver_load", {"domid": 1, "device": DEVICE, "entries": (0, 1, 2)}, "observed", (LOAD1,)
    ),
    StoryStep(
        "clean_shutdown",
        {"domid": 1},
        "inferred",
        (),
        "while dom1 lived, dom0.log:33 could not have been printed",
    ),
    StoryStep("domain_start", {"domid": 2, "device": DEVICE, "kind": "pv"}, "observed", (START2,)),
    StoryStep(
        "driver_load", {"domid": 2, "device": DEVICE, "entries": (0, 1, 2)}, "observed", NOT_FREED
    ),
    StoryStep("ifup", {"domid": 2, "device": DEVICE}, "observed", OBTAIN),
    StoryStep("driver_unload", {"domid": 2, "device": DEVICE}, "observed", UNMAP),
)

WHATIF = (
    WhatIf("el5", (), ALL_IDS, "RHEL 5 as shipped"),
    WhatIf("el5+1070", (), ALL_IDS, "pciback with c/s 1070"),
    WhatIf("el5+945+956+1070", (), ALL_IDS, "dom0 with c/s 945, 956, 1070"),
    WhatIf("el5+prune", ALL_IDS, (), "pciback that prunes at reset"),
    WhatIf("el5-283", ALL_IDS, (), "kernel-2.6.18-283.el5 and later"),
    WhatIf("workaround-unload-driver", ALL_IDS, ()),
    WhatIf("recover-reload-driver", (SYMPTOM_ID,), (CAUSE_ID, STATE_ID)),
)

FAULT = Diagnosis(
    tool=ToolReport("diagnose", "0.1.0", "5f2ad0c4e1b7"),
    inputs=(
        InputReport("dom0.log", "a" * 64, 6114, 71, ("dom0",), "none"),
        InputReport("guest2.log", "b" * 64, 918, 15, ("guest",), "none"),
        InputReport("xen.log", "c" * 64, 702, 9, ("xen",), "gzip"),
    ),
    verdict="fault",
    kernel=KernelReport(
        "el5",
        RELEASE,
        "banner",
        ("el5+1070",),
        KernelParts(RELEASE, None, "3.1.2-274.el5", {"guest2": "2.6.18-238.el5xen"}),
    ),
    findings=(CAUSE, STATE, SYMPTOM),
    harmless=(
        HarmlessItem(
            rule="MSIX101",
            device=OTHER,
            witness=Witness(TEARDOWN, (), 2),
            reason="The pairs were flushed at the teardown of their own owner, and Xen had emptied "
            "the domain's table just before. Nothing was left and nobody else was hit.",
            would_be_a_fault_if="the pairs had been attached by an earlier owner",
            title="refused unmaps at an owner's own teardown",
        ),
    ),
    suspicions=(
        Suspicion(
            fault="collateral-unmap",
            device=OTHER,
            why="One stale flush printed no refusal, but the Xen console has a gap there.",
            lines=(DROPPED,),
            title="a flush may have hit a living device",
        ),
    ),
    divergences=(
        Divergence(
            "predicted-unseen",
            "xen_pirq_not_mapped",
            (DROPPED,),
            "Two more refusals were due; the rate limit of the Xen console may have swallowed "
            "them.",
            DEVICE,
        ),
    ),
    assignments=(
        AssignmentReport(0, DEVICE, 1, "pv", START1, START2, "clean_shutdown", "fault"),
        AssignmentReport(0, DEVICE, 2, "pv", START2, None, "running", "fault"),
    ),
    story=STORY,
    whatif=WHATIF,
    recommendation=(
        Recommendation(
            "rhel-msi-prune-pci-irq-vectors",
            "upgrade",
            True,
            ("clean", "abrupt"),
            "Upgrade dom0 to kernel-2.6.18-308.el5 or later; its pciback drops a device's vectors "
            "at reset.",
            ("RHSA-2012:0150", "Red Hat bug 688673"),
            "msi_prune_pci_irq_vectors()",
        ),
        Recommendation(
            "lin2618-1070",
            "backport",
            False,
            ("abrupt",),
            "Rebuild pciback with c/s 1070. It helps after xm destroy only: an orderly shutdown "
            "has cleared the enable flag that it looks at.",
            ("linux-2.6.18-xen c/s 1070",),
            "disable MSI-X when the device is reset",
        ),
        Recommendation(
            "workaround-unload-driver",
            "workaround",
            True,
            ("clean",),
            "Unload the driver in the guest before it goes down: rmmod igbvf.",
            (),
            "unload the driver first",
        ),
        Recommendation(
            "recover-reload-driver",
            "recover",
            False,
            (),
            "In dom2: rmmod igbvf, then modprobe igbvf. The first unload empties dom0's record.",
            (),
            "reload the driver",
        ),
    ),
    exposure=(
        Exposure(
            "pirq-collision",
            "Two passed-through devices in one guest can be handed the same pirq on this row.",
            "rhel-msi-prune-pci-irq-vectors",
        ),
    ),
    clocks=(Clock("guest2.log", "guest", "dom0", (236.1, 239.8), (OBTAIN[0],)),),
    missing=(
        Missing(
            "the Xen console from the beginning",
            "its first lines are gone, so the first refusals cannot be counted",
            "xm dmesg > xen.log",
        ),
    ),
    remarks=(Remark("rate-limited", "12 messages were suppressed by Xen.", "xen.log", 9),),
    coverage=Coverage(95, 31, 1, 40, 23, 0, 7734),
)

EMPTY = Diagnosis(FAULT.tool, FAULT.inputs, "inconclusive", FAULT.kernel, FAULT.coverage)

HEALTHY = replace(
    EMPTY,
    verdict="healthy",
    kernel=KernelReport("el5-283", "2.6.18-308.el5xen", "banner", ()),
    harmless=FAULT.harmless,
    assignments=(
        AssignmentReport(0, DEVICE, 1, "pv", START1, START2, "clean_shutdown", "healthy"),
        AssignmentReport(0, DEVICE, 2, "pv", START2, None, "running", "healthy"),
    ),
    story=STORY[:6],
)

INCONCLUSIVE = replace(
    EMPTY,
    kernel=KernelReport(None, None, "unknown", ()),
    inputs=(InputReport("messages", "d" * 64, 512, 8, (), "none"),),
    missing=(
        Missing(
            "dom0's kernel log since the host booted",
            "no line shows a device being passed through",
            "dmesg > dom0.log; cat /var/log/messages >> dom0.log",
        ),
        Missing(
            "the Xen console", "refused hypercalls are printed only there", "xm dmesg > xen.log"
        ),
    ),
    remarks=(Remark("no-passthrough", "No line tells of pciback, pcifront or MSI-X.", None, None),),
    coverage=Coverage(8, 0, 0, 3, 5, 0, 512),
)

SAMPLES = {"fault": FAULT, "healthy": HEALTHY, "inconclusive": INCONCLUSIVE}
