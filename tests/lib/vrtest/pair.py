# SPDX-License-Identifier: GPL-2.0-only
"""Two VMs of one network on a node, seen from their taps: every frame in and out is made and read here.

    pair = Pair(tap, "suite")
    pair.send("a", fr.ipv4(A[0], B[0], 17, ...)); pair.vm["b"].receive(...)
"""

from . import frame as fr
from .netns import Netns
from .node import SLOW, vrctl
from .tap import wait_for

A, B, GW = ("10.1.0.2", "fd01::2"), ("10.1.0.3", "fd01::3"), ("10.1.0.1", "fd01::1")
MAC_A, MAC_B = fr.mac("02:00:00:00:00:0a"), fr.mac("02:00:00:00:00:0b")
VIP = ("10.9.0.9", "fd09::9")
WAIT = 5 * SLOW
FAMILIES = ((4, 0), (6, 1))


class Pair:
    """Taps a and b, attached as vifs 1 and 2 of VRF 1."""

    def __init__(self, tap, name):
        self.tap, self.ns, self.vm = tap, Netns(name), {}
        self.vr(f"vrf add id 1 label test/net gateway {GW[0]} gateway {GW[1]}")
        self._attach("a", 1, "02:00:00:00:00:0a", A)
        self._attach("b", 2, "02:00:00:00:00:0b", B)

    def vr(self, words, **kw):
        return vrctl(*words.split(), netns=self.ns, **kw)

    def drops(self, reason):
        return sum(d["packets"] for d in self.vr("drops show") or [] if d["reason"] == reason)

    def _attach(self, name, number, mac, addrs):
        self.vm[name] = fr.Tap(self.ns, f"tap-{name}")
        self.vr(f"vif add id {number} dev tap-{name} vrf 1 mac {mac} addr {addrs[0]} addr {addrs[1]} "
                f"label vm/{name}")
        self.vr(f"nexthop add id {number} local vif {number}")
        for addr, bits in zip(addrs, (32, 128)):
            self.vr(f"route add vrf 1 {addr}/{bits} nexthop {number}")

    def send(self, name, payload, mac=MAC_A, dst=fr.GATEWAY_MAC, proto=None):
        """An IP packet from a VM to its gateway."""
        if proto is None:
            proto = fr.ETH_IPV6 if payload[0] >> 4 == 6 else fr.ETH_IP
        self.vm[name].send(fr.eth(dst, mac, proto, payload))

    def flush(self):
        """No flow, and no frame unread."""
        self.vr("flow flush")
        for v in self.vm.values():
            v.flush()

    def expect_drop(self, reason, what, action, more=lambda: True):
        """The action's packet is counted with the reason and reaches nobody."""
        for v in self.vm.values():
            v.flush()
        before = self.drops(reason)
        action()
        try:
            wait_for(lambda: self.drops(reason) > before, reason, WAIT)
            counted = True
        except AssertionError:
            counted = False
        arrived = self.vm["b"].receive(lambda p: p.src in A or p.src in B, seconds=0)
        self.tap.check(counted and arrived is None and more(), f"{what}: dropped as {reason}",
                       f"counted {counted}, arrived {arrived}, drops {self.vr('drops show')}")
