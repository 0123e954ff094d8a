#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py RESULTS JSON: the table of a run of run.sh, and the same as JSON."""

import json
import sys

import scale_report

UNITS = {"insn": "instructions", "ns": "ns"}
METHODS = {"insn": "stock 6.1 kernel, QEMU icount", "ns": "UML native, least of the repeats"}
COSTS = ("new", "steady", "roundtrip")
PAIRS = (("pods of one node", "fwd", "vrouter"), ("pods of two nodes, VXLAN", "xfwd", "xvrouter"))


def read(path):
    """{method: {case: {name: value}}}; a cost is in thousandths of its unit."""
    runs = {}
    with open(path, encoding="ascii") as results:
        for line in results:
            key, value = line.split()
            method, case, name = key.split(".", 2)
            runs.setdefault(method, {}).setdefault(case, {})[name] = int(value)
    return runs


def net_costs(cases):
    """What is left of each cost without the generator's, for each packet sent."""
    gen = cases["gen"]["gen"]
    out = {}
    for case in (case for _, *pair in PAIRS for case in pair):
        for name, value in cases.get(case, {}).items():
            kind, flows = name.split(".")
            if kind in COSTS:
                value = (value - gen) / 1000
            out.setdefault(case, {}).setdefault(int(flows), {})[kind] = value
    return out


def show(method, costs):
    unit = UNITS[method]
    for title, routing, vrouter in PAIRS:
        if routing not in costs:
            continue
        print(f"\n{METHODS[method]}: {title}: {unit} a packet, net of the generator")
        print(f"{'flows':>8} {'':10} {'first':>9} {'established':>12} {'round trip':>11} {'B/flow':>7}")
        for flows in sorted(costs[routing]):
            show_flows(flows, costs, routing, vrouter)


def show_flows(flows, costs, routing, vrouter):
    for name, case in (("routing", routing), ("vrouter", vrouter)):
        c = costs.get(case, {}).get(flows)
        if not c:
            continue
        # One packet's first way through cold code says nothing of flows.
        first = f"{c['new']:9.0f}" if flows >= 1000 else f"{'-':>9}"
        memory = f"{c['memory']:7.0f}" if flows >= 100000 else f"{'-':>7}"
        print(f"{flows:8} {name:10} {first} {c['steady']:12.0f} {c['roundtrip']:11.0f} {memory}")
    if flows in costs.get(vrouter, {}):
        base, ours = costs[routing][flows], costs[vrouter][flows]
        print(f"{'':8} {'ratio':10} {'':9} {ours['steady'] / base['steady']:12.2f} "
              f"{ours['roundtrip'] / base['roundtrip']:11.2f}")


def show_tcp(method, tcp):
    print(f"\n{METHODS[method]}: one TCP connection, pods of two nodes, VXLAN")
    print(f"{'wire':>8} {'':10} {UNITS[method] + ' for 1000 octets':>29} {'octets a packet: uplink':>24} {'pod':>7}")
    for wire in ("whole", "mtu"):
        cost = {}
        for name, peer in (("routing", "kernel"), ("vrouter", "vrouter")):
            c = {key: tcp[f"{wire}.{peer}.{key}"] for key in ("cost", "uplink", "pod")}
            cost[name] = c["cost"]
            print(f"{wire:>8} {name:10} {c['cost']:29} {c['uplink']:24} {c['pod']:7}")
        print(f"{'':8} {'throughput':10} {cost['routing'] / cost['vrouter']:29.2f}")


def main():
    runs = read(sys.argv[1])
    out = {}
    scale = runs.pop("scale", {})
    for method, cases in runs.items():
        out[method] = {"unit": UNITS[method]}
        if "gen" in cases:
            out[method].update(generator=cases["gen"]["gen"] / 1000, cases=net_costs(cases))
            show(method, out[method]["cases"])
        if "tcp" in cases:
            out[method]["tcp"] = cases["tcp"]
            show_tcp(method, cases["tcp"])
    load = runs.get("ns", {}).get("load")
    if load:
        out["load_ms"] = load
        print("\nUML native, milliseconds")
        for name, text in (("load.vips", "load 10 000 VIPs of 20 members"),
                           ("load.rules", "load a group of 10 000 rules"),
                           ("dump.nexthops", "dump the next hops with their members"),
                           ("dump.vips", "dump the VIPs"), ("dump.rules", "dump the rules"),
                           ("unload", "remove the module")):
            print(f"  {text:40} {load[name]:7}")
    if scale:
        out["scale"] = {case: scale_report.show(case, values) for case, values in scale.items()}
    with open(sys.argv[2], "w", encoding="ascii") as file:
        json.dump(out, file, indent=1, sort_keys=True)
        file.write("\n")
    print(f"\n{sys.argv[2]} written")


if __name__ == "__main__":
    main()
