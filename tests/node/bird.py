#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Pods that are reached from outside, announced by a real routing daemon: vrouterd keeps their
addresses in a routing table, BIRD on the node tells them to its peer, which reaches the pods.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric
from vrtest.node import SLOW, load_module, namespace_manifest, pod_manifest, unload_module
from vrtest.probe import World
from vrtest.tap import Tap, wait_for
from vrtest.wired import Place

tap = Tap("bird")
world = World()
fabric = Fabric(2, args=("--encap", "vxlan", "--external", "--export-table", "200"))
nodes = fabric.nodes
WAIT = 30 * SLOW
OUTSIDE = ("192.0.2.254", "2001:db8::254")
outside = Place(fabric.outside, "outside", OUTSIDE)
pods, daemons = {}, []

CONFIG = """
router id {router};
protocol device {{ }}
protocol kernel {{ {kernel} ipv4 {{ {kernel_channel} }}; }}
protocol kernel {{ {kernel} ipv6 {{ {kernel_channel} }}; }}
"""
SESSION = """
protocol bgp {{
    local {local} as {local_as};
    neighbor {peer} as {peer_as};
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    {family} {{ {channel} }};
}}
"""


def bird(ns, name, config):
    path = f"{nodes[1].dir}/{name}"
    with open(f"{path}.conf", "w", encoding="utf-8") as f:
        f.write(config)
    ns.run(["bird", "-p", "-c", f"{path}.conf"])
    daemons.append(ns.popen(["bird", "-f", "-c", f"{path}.conf", "-s", f"{path}.ctl"], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


def session(local, local_as, peer, peer_as, channel):
    return SESSION.format(local=local, local_as=local_as, peer=peer, peer_as=peer_as, channel=channel,
                          family="ipv6" if ":" in local else "ipv4")


def router(**spec):
    return {"apiVersion": "opencontrail.org/v1", "kind": "LogicalRouter", "metadata": {"name": "out", "namespace": "default"},
            "spec": {"network": "cluster-network", **spec}}


def table(n):
    """What vrouterd tells the routing daemon of node n."""
    text = "".join(nodes[n].ns.run(["ip", f"-{f}", "route", "show", "table", "200"], check=False).stdout for f in (4, 6))
    return sorted(line.split()[0] for line in text.splitlines())


def learned(pod):
    return f"via {nodes[pod.on].addrs[0]} " in fabric.outside.run(["ip", "route", "show", pod.v4]).stdout and \
        pod.v6 in fabric.outside.run(["ip", "-6", "route", "show", pod.v6]).stdout


def set_up():
    nodes[1].apply("10-namespaces", [namespace_manifest("default")])
    nodes[1].apply("20-pods", [pod_manifest("default", f"p{n}", {"app": "p"}, node=f"node{n}") for n in (1, 2)])
    nodes[1].apply("30-router", [router(reachable=True, nonMasqueradeCIDRs=["192.0.2.254/32", "2001:db8::254/128"])])
    for n in (1, 2):
        pods[n] = nodes[n].pod("default", f"p{n}")
        pods[n].on = n
        world.serve(pods[n], "tcp", 8080)
    fabric.sync()
    for n in (1, 2):
        bird(nodes[n].ns, f"node{n}", CONFIG.format(router=f"192.0.2.{n}", kernel="learn; kernel table 200; scan time 1;",
                                                   kernel_channel="import all; export none;") +
             "".join(session(nodes[n].addrs[i], 65000 + n, OUTSIDE[i], 65000, "import none; export all; next hop self;")
                     for i in (0, 1)))
    bird(fabric.outside, "outside", CONFIG.format(router=OUTSIDE[0], kernel="scan time 1;",
                                                  kernel_channel="import none; export all;") +
         "".join(session(OUTSIDE[i], 65000, nodes[n].addrs[i], 65000 + n, "import all; export none;")
                 for n in (1, 2) for i in (0, 1)))


def exported():
    for n in (1, 2):
        tap.equal(table(n), sorted((pods[n].v4, pods[n].v6)), f"node{n} has its own pods in the table")


def announced():
    """The peer learns each pod from its node, and reaches it; pods reach the peer, untranslated."""
    peer = world.serve(outside, "tcp", 9300)
    for n in (1, 2):
        wait_for(lambda n=n: learned(pods[n]), f"the peer learns p{n}\n{fabric.logs()}", WAIT)
        for i, family in ((0, 4), (1, 6)):
            world.seen.clear()
            tap.equal(world.ask(outside, "tcp", pods[n].addr(family), 8080, seconds=WAIT), f"default/p{n}",
                      f"and reaches it (IPv{family})")
            tap.equal(world.ask(pods[n], "tcp", OUTSIDE[i], 9300, seconds=WAIT), "outside", f"and the other way (IPv{family})")
            tap.equal(world.seen[-1:], [("outside", pods[n].addr(family))], "by the pod's own address")
    world.remove(peer)


def restart():
    """A daemon that starts again withdraws nothing, and removes what it should."""
    nodes[1].kill_daemon()
    nodes[1].ns.run(["ip", "route", "add", "10.99.99.99/32", "dev", "vrouter0", "table", "200", "proto", "155"])
    nodes[1].ns.run(["ip", "route", "add", "10.99.99.98/32", "dev", "vrouter0", "table", "200"])
    nodes[1].start_daemon()
    wait_for(lambda: "10.99.99.99" not in table(1), "a leftover of its own goes", WAIT)
    tap.equal(table(1), sorted((pods[1].v4, pods[1].v6, "10.99.99.98")), "somebody else's stays, and so do the pods'")
    nodes[1].ns.run(["ip", "route", "del", "10.99.99.98/32", "table", "200"])


def module_reloaded():
    """The host's link goes with the module, and the routes with it; they come back."""
    unload_module()
    tap.equal(table(1) + table(2), [], "without the module there are none")
    load_module()
    for n in (1, 2):
        nodes[n].sync(60)
        wait_for(lambda n=n: table(n) == sorted((pods[n].v4, pods[n].v6)), f"node{n}'s are back", WAIT)
    wait_for(lambda: world.ask(outside, "tcp", pods[1].v4, 8080, seconds=WAIT) == "default/p1", "and the pod is reached", WAIT)


def withdrawn():
    """What is not reached from outside any more is not announced."""
    pods[2].detach()
    wait_for(lambda: not table(2), "a pod that ends leaves the table", WAIT)
    wait_for(lambda: not learned(pods[2]), "and the peer", WAIT)
    nodes[1].apply("30-router", [router(reachable=False)])
    wait_for(lambda: not table(1), "a network that is not reachable leaves the table", WAIT)
    wait_for(lambda: not learned(pods[1]), "and the peer", WAIT)
    tap.check(True, "withdrawn")


def end():
    for daemon in daemons:
        daemon.terminate()
        daemon.wait()


set_up()
tap.run([(f.__name__, f) for f in (exported, announced, restart, module_reloaded, withdrawn)], only=os.environ.get("CASE"))
end()
tap.done()
