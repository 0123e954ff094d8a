#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Between nodes TCP goes in large packets: on the way to the uplink, and from it to the pod.

    n1: pod a -- eth0 192.0.2.1 ---+
    n2: pod b -- eth0 192.0.2.2 ---+-- bridge (underlay)
    n3: no module, the kernel's own vxlan --- eth0 192.0.2.3
"""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.bulk import Count, bulk
from vrtest.node import load_module
from vrtest.tap import Tap as TapOutput
from vrtest.wired import BITS, FAMILIES, GW, WAIT, Place, Underlay, WiredPod, ip, vr

load_module()
tap = TapOutput("offload")
VNI = 5001
SIZE = 1 << 20
MTU = 1430			# of pods
ADDR = {"a": ("10.1.0.2", "fd01::2"), "b": ("10.1.0.3", "fd01::3"), "s": ("10.1.0.9", "fd01::9")}
net = Underlay(3)
ns = net.nodes
pods = {}
AF = (socket.AF_INET, socket.AF_INET6)
UDP_SEGMENT = 103		# linux/udp.h
WAYS = [(encap, under, more) for encap in ("vxlan", "mplsoudp") for under in (0, 1) for more in ("", "csum on")]


def set_up():
    for n in (1, 2):
        vr(ns[n], f"vrf add id 1 label test/net gateway {GW[0]} gateway {GW[1]}")
        vr(ns[n], f"vif add id 90 tunnel vrf 1 vni {VNI} label test/net")
    pods["a"], pods["b"] = WiredPod(ns[1], "a", 2, ADDR["a"], MTU), WiredPod(ns[2], "b", 3, ADDR["b"], MTU)
    # TCP makes its packets as large as the way is fast; here it is not, and they are all the same
    for place in (pods["a"].ns, ns[3]):
        place.run(["sysctl", "-q", "-w", "net.ipv4.tcp_min_tso_segs=32"])
    join(*WAYS[0])
    for n, name in ((1, "b"), (2, "a")):
        for addr, bits in zip(ADDR[name], BITS):
            vr(ns[n], f"route add vrf 1 {addr}/{bits} nexthop 80")


def join(encap, under, more):
    """The two nodes know each other by this encapsulation over this family."""
    for n, other in ((1, 2), (2, 1)):
        vr(ns[n], f"nexthop replace id 80 tunnel {encap} remote {net.addr[other][under]} "
                  f"local {net.addr[n][under]} {more}")


def named(encap, under, more, family):
    return f"{encap} over IPv{(4, 6)[under]} {more and 'with checksums'}, IPv{family} inside".replace(" ,", ",")


def carry(what, src, addr):
    """1 MB arrives, and all of it at the first try."""
    lost = [vr(ns[n], "drops show") for n in (1, 2)]
    tap.equal(bulk(src, pods["b"], addr, SIZE), SIZE, f"{what}: 1 MB by TCP")
    tap.equal([vr(ns[n], "drops show") for n in (1, 2)], lost, f"{what}: nothing is dropped")


def wire_of(n, segments, receiver):
    """Node n's uplink sends what fits on a wire, or whole GSO packets; the receiver's coalesces."""
    on, off = ("on", "off") if segments else ("off", "on")
    ip(ns[n], f"link set eth0 gso_max_segs {1 if segments else 65535}")
    ns[receiver].run(["ethtool", "-K", "eth0", "gro", on])
    # a veth leaves GRO out when the other end would have sent it large packets
    net.bridge.run(["ethtool", "-K", f"port{receiver}", "tso", off])


# --- sending ----------------------------------------------------------------------------

def whole():
    """A GSO packet of a pod gets to the uplink in one piece, and from there to another pod."""
    for way in WAYS:
        join(*way)
        for family, i in FAMILIES:
            what = named(*way, family)
            uplink, pod = Count(ns[1], "tx"), Count(pods["b"].ns, "rx")
            carry(what, pods["a"], ADDR["b"][i])
            for count, where in ((uplink, "segmented by the uplink, not before"), (pod, "whole at the pod")):
                tap.check(count.mean() > 8000, f"{what}: {where}", f"{count.mean():.0f} octets a packet")
    join(*WAYS[0])


def datagrams():
    """What a pod sends as one large packet of many datagrams gets to the other as datagrams."""
    data = bytes(k % 251 for k in range(10000))
    for segments in (False, True):
        wire_of(1, segments, 2)
        for way in WAYS:
            join(*way)
            for family, i in FAMILIES:
                with pods["b"].ns:
                    server = socket.socket(AF[i], socket.SOCK_DGRAM)
                server.bind((ADDR["b"][i], 7000))
                server.settimeout(WAIT)
                with pods["a"].ns:
                    client = socket.socket(AF[i], socket.SOCK_DGRAM)
                client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
                client.sendto(data, (ADDR["b"][i], 7000))
                try:
                    got = [server.recv(65535) for _ in range(10)]
                except TimeoutError:
                    got = None
                tap.equal(got, [data[at:at + 1000] for at in range(0, 10000, 1000)],
                          f"{named(*way, family)}{segments * ', segmented'}: ten datagrams sent as one")
                client.close()
                server.close()
    join(*WAYS[0])
    wire_of(1, False, 2)


def nested():
    """What a pod's own tunnel has made GSO packets of goes through ours."""
    dev = "type vxlan id 7 dstport 4789 nolearning"
    for name, other, mac in (("a", "b", "02:bb:00:00:00:01"), ("b", "a", "02:bb:00:00:00:02")):
        peer = f"02:bb:00:00:00:0{'21'[name == 'b']}"
        for words in (f"link add vx7 address {mac} mtu 1380 {dev} local {ADDR[name][0]} remote {ADDR[other][0]}",
                      "link set vx7 up", f"addr add 10.7.0.{'12'[name == 'b']}/24 dev vx7",
                      f"neigh add 10.7.0.{'21'[name == 'b']} lladdr {peer} dev vx7"):
            ip(pods[name].ns, words)
    for segments in (False, True):
        wire_of(1, segments, 2)
        for way in WAYS:
            join(*way)
            carry(f"{named(*way, 4)}{segments * ', segmented'}: a pod's own VXLAN", pods["a"], "10.7.0.2")
    join(*WAYS[0])
    wire_of(1, False, 2)
    for name in "ab":
        ip(pods[name].ns, "link del vx7")


# --- receiving --------------------------------------------------------------------------

def expect_coalesced(what, src, n, i):
    wire, pod = Count(ns[n], "tx"), Count(pods["b"].ns, "rx")
    carry(what, src, ADDR["b"][i])
    tap.check(wire.mean() <= 1514, f"{what}: in packets that the wire takes", f"{wire.mean():.0f} octets a packet")
    tap.check(pod.mean() > 3 * MTU, f"{what}: several of them as one at the pod",
              f"{pod.mean():.0f} octets a packet")


def coalesced():
    wire_of(1, True, 2)
    for way in WAYS:
        join(*way)
        for family, i in FAMILIES:
            expect_coalesced(named(*way, family), pods["a"], 1, i)
    join(*WAYS[0])
    wire_of(1, False, 2)


def stock_vxlan():
    """The same of what the kernel's own vxlan device sends."""
    wire_of(3, True, 2)
    mac = "02:aa:00:00:00:03"
    ip(ns[3], f"link add vx0 address {mac} mtu {MTU} type vxlan id {VNI} dstport 4789 "
              f"local {net.addr[3][0]} nolearning")
    ip(ns[3], "link set vx0 up")
    ns[3].run(["bridge", "fdb", "add", "00:00:5e:00:01:00", "dev", "vx0", "dst", net.addr[2][0]])
    vr(ns[2], f"nexthop add id 83 tunnel vxlan remote {net.addr[3][0]} local {net.addr[2][0]} mac {mac}")
    for family, i in FAMILIES:
        vr(ns[2], f"route add vrf 1 {ADDR['s'][i]}/{BITS[i]} nexthop 83")
        for words in (f"addr add {ADDR['s'][i]}/{BITS[i]} dev vx0 nodad",
                      f"neigh add {GW[i]} lladdr 00:00:5e:00:01:00 dev vx0",
                      f"route add {ADDR['b'][i]} via {GW[i]} dev vx0 onlink"):
            ip(ns[3], words)
        expect_coalesced(f"stock vxlan, IPv{family} inside", Place(ns[3], "host3", ADDR["s"]), 3, i)
    wire_of(3, False, 2)


set_up()
CASES = (whole, datagrams, nested, coalesced, stock_vxlan)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
