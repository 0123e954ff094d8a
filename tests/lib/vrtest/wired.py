# SPDX-License-Identifier: GPL-2.0-only
"""Nodes that are programmed by hand with vrctl, on an underlay that is a bridge.

    node = Underlay(2).nodes      # namespaces n1, n2 with eth0 192.0.2.1, .2, 2001:db8::1, ::2
    pod = WiredPod(ns, "a", 2, ("10.1.0.2", "fd01::2"))
"""

from .netns import Netns, run
from .node import SLOW, vrctl

GW = ("10.1.0.1", "fd01::1")
BITS = (32, 128)
FAMILIES = ((4, 0), (6, 1))
WAIT = 5 * SLOW


def vr(ns, words):
    return vrctl(*words.split(), netns=ns)


def drops(ns, reason):
    return sum(d["packets"] for d in vr(ns, "drops show") or [] if d["reason"] == reason)


def ip(ns, words):
    return ns.run(["ip", *words.split()])


class Underlay:
    """n namespaces on a bridge, numbered from 1."""

    def __init__(self, n):
        self.bridge = Netns("underlay")
        ip(self.bridge, "link add br0 type bridge")
        ip(self.bridge, "link set br0 up")
        self.addr = {i: (f"192.0.2.{i}", f"2001:db8::{i}") for i in range(1, n + 1)}
        self.nodes = {i: self._node(i) for i in self.addr}

    def _node(self, i):
        ns = Netns(f"n{i}")
        ip(self.bridge, f"link add port{i} type veth peer name eth0 netns n{i}")
        ip(self.bridge, f"link set port{i} master br0 up")
        ip(ns, "link set eth0 up")
        ip(ns, f"addr add {self.addr[i][0]}/24 dev eth0")
        ip(ns, f"addr add {self.addr[i][1]}/64 dev eth0 nodad")
        return ns


def own(node, number, addrs, vrf=1):
    """The addresses are those of a vif of the node."""
    vr(node, f"nexthop replace id {number} local vif {number}")
    for addr, bits in zip(addrs, BITS):
        vr(node, f"route replace vrf {vrf} {addr}/{bits} nexthop {number}")


class WiredPod:
    """A namespace with a veth into a node, attached as vif `number`."""

    def __init__(self, node, name, number, addrs, mtu=1430):
        self.node, self.name, self.ns = node, name, Netns(f"pod-{name}")
        self.v4, self.v6 = self.addrs = addrs
        mac = f"02:00:00:00:00:{number:02x}"
        ip(node, f"link add veth-{name} type veth peer name eth0 address {mac} "
                 f"netns {self.ns.name}")
        ip(node, f"link set veth-{name} up")
        for words in (f"link set eth0 mtu {mtu} up", f"addr add {self.v4}/32 dev eth0",
                      f"addr add {self.v6}/128 dev eth0 nodad", f"route add {GW[0]} dev eth0",
                      f"route add default via {GW[0]}", f"-6 route add {GW[1]} dev eth0",
                      f"-6 route add default via {GW[1]}"):
            ip(self.ns, words)
        self.cmd = (f"vif replace id {number} dev veth-{name} vrf 1 mac {mac} addr {self.v4} "
                    f"addr {self.v6} label pod/{name}")
        vr(node, self.cmd)
        own(node, number, addrs)

    def addr(self, i):
        return self.addrs[i]

    def ping(self, dst, *more):
        return self.ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), *more, dst], check=False)


class Place:
    """A namespace that probes and servers of probe.World run in: a node's own, or outside."""

    def __init__(self, ns, name, addrs):
        self.ns, self.name, self.addrs = ns, name, addrs

    def addr(self, i):
        return self.addrs[i]


__all__ = ["BITS", "FAMILIES", "GW", "Place", "Underlay", "WAIT", "WiredPod", "drops", "ip", "own",
           "run", "vr"]
