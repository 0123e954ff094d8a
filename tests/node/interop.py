#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own tunnel devices as peers: what they send is understood, and they understand.

    n1: pod b ------------------------------- eth0 192.0.2.1 ---+
    n2: no module, a vxlan or bareudp device -- eth0 192.0.2.2 --- bridge
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.bulk import bulk
from vrtest.node import load_module
from vrtest.probe import World
from vrtest.tap import Tap
from vrtest.wired import BITS, FAMILIES, GW, WAIT, Place, Underlay, WiredPod, ip, vr

load_module()
tap = Tap("interop")
world = World()
VNI = 5001
net = Underlay(2)
node, other = net.nodes[1], net.nodes[2]
# of the peer: one address for each family inside
peer = Place(other, "peer", ("10.1.0.9", "fd01::9"))
vr(node, f"vrf add id 1 label test/net gateway {GW[0]} gateway {GW[1]}")
vr(node, f"vif add id 90 tunnel vrf 1 vni {VNI} label test/net")
pod = WiredPod(node, "b", 3, ("10.1.0.3", "fd01::3"))
for protocol in ("tcp", "udp"):
    world.serve(pod, protocol, 7000)
    world.serve(peer, protocol, 7000)


def exchange(what, i):
    """Pings in fragments, TCP and UDP, and a megabyte, each way."""
    res = other.run(["ping", "-n", "-c", "1", "-W", str(WAIT), "-s", "3000", pod.addr(i)], check=False)
    tap.check(res.returncode == 0, f"{what}: a ping in fragments, from it", res.stdout)
    res = pod.ping(peer.addr(i), "-s", "3000")
    tap.check(res.returncode == 0, f"{what}: and to it", res.stdout)
    for proto in ("tcp", "udp"):
        tap.equal(world.ask(pod, proto, peer.addr(i), 7000, WAIT), "peer", f"{what}: {proto} to it")
        tap.equal(world.ask(peer, proto, pod.addr(i), 7000, WAIT), "b", f"{what}: {proto} from it")
    tap.equal(bulk(peer, pod, pod.addr(i), 1 << 20), 1 << 20, f"{what}: 1 MB by TCP from it")
    tap.equal(bulk(pod, peer, peer.addr(i), 1 << 20), 1 << 20, f"{what}: and to it")


class Joined:
    """The node knows the peer by a tunnel over one family, while the context lasts."""

    def __init__(self, encap, under, more=""):
        vr(node, f"nexthop add id 83 tunnel {encap} remote {net.addr[2][under]} "
                 f"local {net.addr[1][under]} {more}")
        for i in (0, 1):
            vr(node, f"route add vrf 1 {peer.addr(i)}/{BITS[i]} nexthop 83")

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        for i in (0, 1):
            vr(node, f"route del vrf 1 {peer.addr(i)}/{BITS[i]}")
        vr(node, "nexthop del id 83")


def vxlan():
    """A vxlan device with static entries (RFC 7348)."""
    mac = "02:aa:00:00:00:03"
    for under in (0, 1):
        more = "udp6zerocsumrx" if under else ""
        ip(other, f"link add vx0 address {mac} mtu 1430 type vxlan id {VNI} dstport 4789 "
                  f"local {net.addr[2][under]} nolearning {more}")
        ip(other, "link set vx0 up")
        other.run(["bridge", "fdb", "add", "00:00:5e:00:01:00", "dev", "vx0", "dst", net.addr[1][under]])
        for i in (0, 1):
            ip(other, f"addr add {peer.addr(i)}/{BITS[i]} dev vx0 nodad")
            ip(other, f"neigh add {GW[i]} lladdr 00:00:5e:00:01:00 dev vx0")
            ip(other, f"route add {pod.addr(i)} via {GW[i]} dev vx0 onlink")
        with Joined("vxlan", under, f"mac {mac}"):
            for family, i in FAMILIES:
                exchange(f"vxlan over IPv{(4, 6)[under]}, IPv{family} inside", i)
        ip(other, "link del vx0")


def bareudp():
    """A bareudp device for MPLS, with the kernel's own MPLS stack behind it (RFC 7510)."""
    other.run(["sysctl", "-qw", "net.mpls.platform_labels=1048575"])
    ip(other, f"-f mpls route add {VNI} dev lo")
    for under in (0, 1):
        ip(other, "link add bare0 mtu 1430 type bareudp dstport 6635 ethertype mpls_uc")
        ip(other, "link set bare0 up")
        other.run(["sysctl", "-qw", "net.mpls.conf.bare0.input=1"])
        # where to, a bareudp device is told with each packet
        other.run(["tc", "qdisc", "add", "dev", "bare0", "clsact"])
        other.run(["tc", "filter", "add", "dev", "bare0", "egress", "matchall", "action", "tunnel_key", "set",
                   "src_ip", net.addr[2][under], "dst_ip", net.addr[1][under], "id", "0", "pass"])
        for i in (0, 1):
            ip(other, f"addr add {peer.addr(i)}/{BITS[i]} dev bare0 nodad")
            ip(other, f"route add {pod.addr(i)} encap mpls {VNI} via {GW[i]} dev bare0 onlink")
        with Joined("mplsoudp", under):
            for family, i in FAMILIES:
                exchange(f"bareudp over IPv{(4, 6)[under]}, IPv{family} inside", i)
        ip(other, "link del bare0")


# Debian's kernels are built without bareudp
CASES = (vxlan, bareudp) if os.environ.get("VROUTER_KERNEL") == "um" else (vxlan,)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
