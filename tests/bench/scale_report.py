# SPDX-License-Identifier: GPL-2.0-only
"""The figures of scale.py: what they are, what they are to be, and how they are printed."""

MB, GB = 1000 * 1000 / 1024, 1000 * 1000 * 1000 / 1024     # in KiB

# name: text, unit, what one unit is in that of the figure (microseconds, KiB, or itself)
FIGURES = {
    "manager.start_cpu": ("manager: from nothing to all published, CPU", "s", 1e6),
    "manager.start_writes": ("  and resources written", "", 1),
    "manager.start_peak": ("  and most memory held", "MB", MB),
    "manager.peak": ("manager: most memory held", "MB", MB),
    "manager.restart_cpu": ("manager: from nothing to all found as it is to be, CPU", "s", 1e6),
    "manager.restart_writes": ("  and resources written", "", 1),
    "manager.restart_peak": ("  and most memory held", "MB", MB),
    "manager.endpoint_cpu": ("manager: one endpoint changes, CPU", "ms", 1e3),
    "manager.endpoint_writes": ("  and resources written", "", 1),
    "manager.label_cpu": ("manager: a pod's label that 100 policies select, CPU", "ms", 1e3),
    "manager.label_writes": ("  and resources written", "", 1),
    "daemon.list_cpu": ("vrouterd: from nothing to in step, without a module, CPU", "s", 1e6),
    "daemon.start_cpu": ("vrouterd: from nothing to all in the kernel, CPU", "s", 1e6),
    "daemon.peak": ("vrouterd: most memory held", "MB", MB),
    "daemon.endpoint_cpu": ("vrouterd: one endpoint changes, CPU", "ms", 1e3),
    "daemon.label_cpu": ("vrouterd: the label, CPU", "ms", 1e3),
    "endpoint_to_kernel_median": ("vrouterd: an endpoint's change, feed to kernel, median", "ms", 1e3),
    "endpoint_to_kernel_p99": ("  and of 99 of 100", "ms", 1e3),
}

SERVICES, FULL = "100-5000-10000-1000", "5000-150000-10000-10000"

# part-size or size: at most, in the unit of the table above. UML's system calls cost several times a
# machine's: what is reached there is reached.
GOALS = {
    SERVICES: {"manager.peak": 64, "manager.start_peak": 64, "manager.restart_peak": 64, "daemon.peak": 64},
    FULL: {"manager.peak": 1000},
    f"uml-{FULL}": {"daemon.start_cpu": 10, "daemon.peak": 200, "endpoint_to_kernel_p99": 5},
    f"native-{FULL}": {"manager.start_cpu": 60, "manager.endpoint_cpu": 5, "manager.label_cpu": 10,
                       "daemon.list_cpu": 10, "daemon.peak": 200},
}

PARTS = {
    "native": "this machine, manifests, no module",
    "uml": "UML native, manifests, one node with the module",
    "api": "this machine, a real kube-apiserver",
}


def goal_of(part, size, name):
    return {**GOALS.get(size, {}), **GOALS.get(f"{part}-{size}", {})}.get(name)


def show(case, values):
    """Prints the figures of one run; the same for the JSON."""
    part, size = case.split("-", 1)
    command = f"tests/bench/scale.py {part} {size.replace('-', ' ')}"
    print("\n{} nodes, {} pods, {} services, {} policies; ".format(*size.split("-")) + f"{PARTS[part]}: {command}")
    figures = {}
    for name, (text, unit, one) in FIGURES.items():
        if name not in values:
            continue
        value, goal = values[name] / one, goal_of(part, size, name)
        figures[name] = {"value": round(value, 3), "unit": unit, **({"goal": goal} if goal else {})}
        beside = f"  {'goal' if value <= goal else 'MISSED'}: {goal}" if goal else ""
        print(f"  {text:58} {value:9.1f} {unit:3}{beside}")
    return {"command": command, "figures": figures}
