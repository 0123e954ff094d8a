#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tunnels between nodes, programmed by hand: what is on the wire, who is believed, what fits.

    n1: pod a, tap t --- eth0 192.0.2.1 ---+
    n2: pod b -------- eth0 192.0.2.2 ---- bridge (underlay)
    n3: no module ---- eth0 192.0.2.3 ---+
"""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest import frame as fr
from vrtest import wired
from vrtest.bulk import bulk
from vrtest.node import VrctlError, load_module
from vrtest.probe import Probe, World
from vrtest.tap import Tap as TapOutput, wait_for
from vrtest.wired import BITS, FAMILIES, GW, WAIT, Place, Underlay, WiredPod, own

load_module()
tap = TapOutput("tunnel")
world = World()
VNI = 5001
ADDR = {"a": ("10.1.0.2", "fd01::2"), "b": ("10.1.0.3", "fd01::3"), "t": ("10.1.0.4", "fd01::4"),
        "s": ("10.1.0.9", "fd01::9")}
MAC_T = fr.mac("02:00:00:00:00:04")
net = Underlay(3)
UNDERLAY = net.addr
ns = {0: net.bridge, **net.nodes}
pods = {}


def vr(n, words):
    return wired.vr(ns[n], words)


def drops(n, reason):
    return wired.drops(ns[n], reason)


def behind(n, name, more=""):
    for addr, bits in zip(ADDR[name], BITS):
        vr(n, f"route replace vrf 1 {addr}/{bits} nexthop 80 {more}")


def set_up():
    for n in (1, 2):
        vr(n, f"vrf add id 1 label test/net gateway {GW[0]} gateway {GW[1]}")
        vr(n, f"vif add id 90 tunnel vrf 1 vni {VNI} label test/net")
    pods["a"], pods["b"] = WiredPod(ns[1], "a", 2, ADDR["a"]), WiredPod(ns[2], "b", 3, ADDR["b"])
    pods["t"] = fr.Tap(ns[1], "tap-t")
    vr(1, f"vif add id 4 dev tap-t vrf 1 mac 02:00:00:00:00:04 addr {ADDR['t'][0]} addr {ADDR['t'][1]}")
    own(ns[1], 4, ADDR["t"])
    join("vxlan", 0)
    for n, names in ((1, "b"), (2, "at")):
        for name in names:
            behind(n, name)
    for proto in ("tcp", "udp", "sctp"):
        world.serve(pods["b"], proto, 7000)
        world.serve(pods["a"], proto, 7000)


def join(encap, family, more=""):
    """The two nodes know each other by this encapsulation over this family."""
    for n, other in ((1, 2), (2, 1)):
        vr(n, f"nexthop replace id 80 tunnel {encap} remote {UNDERLAY[other][family]} "
              f"local {UNDERLAY[n][family]} {more}")


# --- across ---------------------------------------------------------------------------

def across():
    """Every protocol, both families inside, both families and encapsulations outside."""
    for encap in ("vxlan", "mplsoudp"):
        for under in (1, 0):
            join(encap, under)
            for family, i in FAMILIES:
                what = f"{encap} over IPv{(4, 6)[under]}, IPv{family} inside"
                res = pods["a"].ping(pods["b"].addr(i))
                tap.check(res.returncode == 0 and " ttl=62" in res.stdout + "",
                          f"{what}: ping, two hops away", res.stdout + res.stderr)
                for proto in ("tcp", "udp", "sctp"):
                    tap.equal(world.ask(pods["a"], proto, pods["b"].addr(i), 7000, WAIT), "b",
                              f"{what}: {proto}")
                    tap.equal(world.ask(pods["b"], proto, pods["a"].addr(i), 7000, WAIT), "a",
                              f"{what}: {proto}, the other way")
    join("vxlan", 0)


# --- on the wire ------------------------------------------------------------------------

class Wire:
    """Tunnel packets between the nodes, as a switch sees them."""

    def __init__(self, port=4789):
        self.sock = fr.raw_socket(ns[0], "port2")
        self.sock.settimeout(WAIT)
        self.port = port

    def next(self):
        """(outer IP header, UDP header, payload) of the next one."""
        while True:
            data = self.sock.recv(65535)
            if data[12:14] != b"\x08\0" or data[23] != 17:
                continue
            udp = struct.unpack("!HHHH", data[34:42])
            if udp[1] == self.port and data[30:34] == fr.ip(UNDERLAY[2][0]):
                return data[14:34], udp, data[42:]


def wire():
    packet = fr.ipv4(ADDR["t"][0], ADDR["b"][0], 17, fr.udp(ADDR["t"][0], ADDR["b"][0], 1000, 7000, b"hi"))
    packet = packet[:1] + b"\xb8" + packet[2:]
    packet = packet[:10] + b"\0\0" + packet[12:]
    packet = packet[:10] + struct.pack("!H", fr.checksum(packet[:20])) + packet[12:]
    for encap, port in (("vxlan", 4789), ("mplsoudp", 6635)):
        join(encap, 0)
        w = Wire(port)
        pods["t"].send(fr.eth(fr.GATEWAY_MAC, MAC_T, fr.ETH_IP, packet))
        ip, udp, data = w.next()
        tap.check(ip[1] == 0xB8, f"{encap}: the inner DSCP is outside too", ip.hex())
        tap.check(ip[6] & 0x40, f"{encap}: do not fragment", ip.hex())
        tap.check(49152 <= udp[0] <= 65535, f"{encap}: the source port is of RFC 7510's range", udp)
        tap.equal(udp[3], 0, f"{encap}: no UDP checksum over IPv4")
        if encap == "vxlan":
            tap.equal(data[:8], struct.pack("!II", 0x08000000, VNI << 8), "vxlan: flags and VNI")
            tap.equal(data[8:22], fr.GATEWAY_MAC * 2 + b"\x08\0", "vxlan: a frame between gateways")
            inner = data[22:]
        else:
            entry = struct.unpack("!I", data[:4])[0]
            tap.check(entry >> 12 == VNI and entry >> 8 & 1, "mplsoudp: label and end of stack", hex(entry))
            inner = data[4:]
        tap.check(inner[12:20] == fr.ip(ADDR["t"][0]) + fr.ip(ADDR["b"][0]) and inner[8] == 63,
                  f"{encap}: the packet with its TTL one less", inner.hex())
    join("vxlan", 0, "csum on")
    w = Wire()
    pods["t"].send(fr.eth(fr.GATEWAY_MAC, MAC_T, fr.ETH_IP, packet))
    tap.check(w.next()[1][3], "a UDP checksum when asked for")
    join("vxlan", 0)


# --- who is believed ----------------------------------------------------------------------

def vxlan(inner, vni=VNI, flags=0x08000000, dst=fr.GATEWAY_MAC, proto=None):
    proto = proto or (fr.ETH_IPV6 if inner[:1] and inner[0] >> 4 == 6 else fr.ETH_IP)
    return struct.pack("!II", flags, vni << 8) + fr.eth(dst, fr.GATEWAY_MAC, proto, inner)


def expect_drop(reason, what, payload, sender=1, port=4789):
    """n2 drops what this node sends to it, and counts it."""
    with ns[sender]:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    before = drops(2, reason)
    sock.sendto(payload, (UNDERLAY[2][0], port))
    sock.close()
    try:
        wait_for(lambda: drops(2, reason) > before, reason, WAIT)
        tap.check(True, f"{what}: dropped as {reason}")
    except AssertionError:
        tap.check(False, f"{what}: dropped as {reason}", vr(2, "drops show"))


def udp(src, dst, **kw):
    return fr.ipv4(src, dst, 17, fr.udp(src, dst, 1, 7000), **kw)


def trust():
    a, b = ADDR["a"][0], ADDR["b"][0]
    expect_drop("unknown-peer", "a tunnel packet of no peer", vxlan(udp(a, b)), sender=3)
    expect_drop("unknown-vni", "a VNI of no network", vxlan(udp(a, b), vni=77))
    expect_drop("bad-encap", "a truncated VXLAN header", b"\x08\0\0\0")
    expect_drop("bad-encap", "VXLAN without a VNI", vxlan(udp(a, b), flags=0))
    expect_drop("bad-encap", "VXLAN without a frame", struct.pack("!II", 0x08000000, VNI << 8) + b"x")
    expect_drop("bad-ethernet", "an inner frame for another MAC", vxlan(udp(a, b), dst=b"\2\0\0\0\0\7"))
    expect_drop("bad-ethernet", "an inner frame of another protocol", vxlan(b"\0" * 40, proto=0x88B5))
    expect_drop("bad-ip", "an inner packet that is none", vxlan(b"\x45\0\0\x14", proto=fr.ETH_IP))
    expect_drop("spoofed-peer", "an inner source that is no route's", vxlan(udp("10.9.9.9", b)))
    expect_drop("spoofed-peer", "an inner source of the receiving node itself", vxlan(udp(b, b)))
    expect_drop("martian", "an inner packet from the loopback network", vxlan(udp("127.0.0.1", b)))
    expect_drop("tunnel-loop", "an inner packet for a third node", vxlan(udp(a, ADDR["t"][0])))
    expect_drop("no-route", "an inner packet to nowhere", vxlan(udp(a, "10.1.0.77")))
    expect_drop("gateway", "an inner packet to the gateway", vxlan(udp(a, GW[0])))
    join("mplsoudp", 0)
    expect_drop("bad-encap", "a truncated MPLS label", b"\1\2", port=6635)
    expect_drop("bad-encap", "a stack of two labels", struct.pack("!I", VNI << 12) + udp(a, b), port=6635)
    expect_drop("bad-encap", "a label and no IP", struct.pack("!I", VNI << 12 | 256) + b"\0" * 30, port=6635)
    expect_drop("unknown-vni", "a label of no network", struct.pack("!I", 77 << 12 | 256) + udp(a, b), port=6635)
    join("vxlan", 0)
    # A flow of one peer is not another's to send in: n3 becomes a peer, with nothing behind it.
    world.ask(pods["a"], "udp", b, 7000, WAIT, sport=3333)
    vr(2, f"nexthop add id 83 tunnel vxlan remote {UNDERLAY[3][0]}")
    packet = fr.ipv4(a, b, 17, fr.udp(a, b, 3333, 7000, b"mine"))
    expect_drop("spoofed-peer", "a packet of another node's flow", vxlan(packet), sender=3)
    vr(2, "nexthop del id 83")
    # congestion experienced, around a packet that cannot carry it (RFC 6040)
    with ns[1]:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 3)
    before = drops(2, "tunnel-ecn")
    sock.sendto(vxlan(udp(a, b)), (UNDERLAY[2][0], 4789))
    wait_for(lambda: drops(2, "tunnel-ecn") > before, "tunnel-ecn", WAIT)
    tap.check(True, "a congestion mark around a packet without ECN: dropped as tunnel-ecn")
    sock.close()


def forged_by_pod():
    """A pod's own VXLAN packet to a node is no tunnel packet."""
    before = drops(1, "no-route")
    with pods["a"].ns:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.sendto(vxlan(udp(ADDR["a"][0], ADDR["b"][0])), (UNDERLAY[2][0], 4789))
    wait_for(lambda: drops(1, "no-route") > before, "no-route", WAIT)
    tap.check(True, "a pod cannot send tunnel packets to a node")
    sock.close()


def refused():
    for n, words, says in (
            (1, f"vif add id 91 tunnel vrf 1 vni {VNI}", "VRF 1 has a tunnel by vif 90"),
            (1, f"vif replace id 90 tunnel vrf 1 vni 77", f"Vif 90 is the tunnel of VNI {VNI} and VRF 1 already"),
            (1, f"nexthop add id 85 tunnel vxlan remote {UNDERLAY[2][0]}", "192.0.2.2 is the remote of next hop"),
            (1, "vrf del id 1", "VRF 1")):
        try:
            vr(n, words)
            tap.check(False, f"refused: {words}")
        except VrctlError as err:
            tap.check(says in str(err), f"refused: {words}", str(err))


# --- what fits ------------------------------------------------------------------------------

def pods_mtu(octets):
    for name in ("a", "b"):
        pods[name].ns.run(["ip", "link", "set", "eth0", "mtu", octets])
        pods[name].ns.run(["ip", "route", "flush", "cache"])


def mtu():
    pods_mtu(1500)
    for family, i in FAMILIES:
        b = pods["b"].addr(i)
        # 1500 less 50 of VXLAN over IPv4
        for size, fits in ((1450, True), (1451, False)):
            data = size - (28, 48)[i]
            res = pods["a"].ping(b, "-M", "do", "-s", str(data))
            if fits:
                tap.check(res.returncode == 0, f"{size} octets fit (IPv{family})", res.stdout + res.stderr)
            else:
                tap.check(res.returncode and "1450" in res.stdout + res.stderr,
                          f"{size} octets do not, and the sender is told how many do (IPv{family})",
                          res.stdout + res.stderr)
    # A router of the underlay takes less: its error reaches the pod as one of its own way.
    ns[1].run(["ip", "route", "add", f"{UNDERLAY[2][0]}/32", "dev", "eth0", "mtu", "1400"])
    res = pods["a"].ping(pods["b"].v4, "-M", "do", "-s", str(1351 - 28))
    tap.check(res.returncode and "1350" in res.stdout + res.stderr, "the way there is what counts",
              res.stdout + res.stderr)
    ns[1].run(["ip", "route", "del", f"{UNDERLAY[2][0]}/32", "dev", "eth0"])
    pods_mtu(1430)


def errors():
    """ICMP errors across the tunnel: of the receiver, of the gateways on the way."""
    for family, i in FAMILIES:
        tap.equal(world.ask(pods["a"], "udp", pods["b"].addr(i), 7999, WAIT), "refused",
                  f"port unreachable comes back (IPv{family})")
        for hops in (1, 2):
            res = pods["a"].ping(pods["b"].addr(i), "-t", str(hops))
            tap.check(GW[i] in res.stdout and ("exceeded" in res.stdout or "Hop limit" in res.stdout),
                      f"TTL {hops} ends at a gateway, which says so (IPv{family})", res.stdout + res.stderr)


# --- policy and services --------------------------------------------------------------------

def policy():
    """The receiver's node judges by the groups that its route to the sender has."""
    vr(2, "sg add id 10 label test/clients enforce none")
    vr(2, "sg add id 11 label test/server enforce ingress rule ingress tcp 7000 from sg 10")
    vr(2, pods["b"].cmd + " sg 11")
    before = drops(2, "sg-ingress")
    for family, i in FAMILIES:
        tap.equal(world.run([p := Probe(pods["a"], "tcp", pods["b"].addr(i), 7000)],
                            until=lambda: drops(2, "sg-ingress") > before), [None],
                  f"a sender of no group is refused where the receiver is (IPv{family})")
        before = drops(2, "sg-ingress")
    behind(2, "a", "sg 10")
    for family, i in FAMILIES:
        tap.equal(world.ask(pods["a"], "tcp", pods["b"].addr(i), 7000, WAIT), "b",
                  f"of the right group it is let in (IPv{family})")
    behind(2, "a")
    vr(2, pods["b"].cmd)
    vr(2, "sg del id 11")
    vr(2, "sg del id 10")


def services():
    """A member on another node: translated here, the client's own address there."""
    for family, i in FAMILIES:
        vip = ("10.9.0.9", "fd09::9")[i]
        vr(1, f"nexthop add id {50 + i} ecmp member {pods['b'].addr(i)} port 7000")
        for proto in ("tcp", "udp", "sctp"):
            vr(1, f"vip add vrf 1 {vip} {proto} 7000 nexthop {50 + i}")
            world.seen.clear()
            tap.equal(world.ask(pods["a"], proto, vip, 7000, WAIT), "b", f"{proto} by the service (IPv{family})")
            if proto != "sctp":
                tap.equal(world.seen, [("b", pods["a"].addr(i))], "the member sees the client")
            vr(1, f"vip del vrf 1 {vip} {proto} 7000")
        vr(1, f"nexthop del id {50 + i}")


# --- the node itself --------------------------------------------------------------------------

def echo(src, dst, i, size, addr=None):
    """A datagram of that size to a pod and back."""
    family = (socket.AF_INET, socket.AF_INET6)[i]
    with pods[dst].ns:
        server = socket.socket(family, socket.SOCK_DGRAM)
    server.settimeout(WAIT)
    server.bind((pods[dst].addr(i), 7200))
    with pods[src].ns:
        client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(WAIT)
    client.connect((addr or pods[dst].addr(i), 7200))
    data = bytes(k * 7 % 251 for k in range(size))
    try:
        client.send(data)
        got, sender = server.recvfrom(65535)
        server.sendto(got[::-1], sender)
        return got == data and client.recv(65535) == data[::-1]
    except TimeoutError:
        return False
    finally:
        server.close()
        client.close()


def fragments():
    """Datagrams larger than any MTU on the way, there and back."""
    for encap, under in (("vxlan", 0), ("vxlan", 1), ("mplsoudp", 0)):
        join(encap, under)
        for family, i in FAMILIES:
            for size in (1500, 8000, 60000):
                tap.check(echo("a", "b", i, size),
                          f"{size} octets by UDP, {encap} over IPv{(4, 6)[under]}, IPv{family} inside")
            res = pods["a"].ping(pods["b"].addr(i), "-s", "8000")
            tap.check(res.returncode == 0, f"ping of 8000 octets (IPv{family})", res.stdout)
    join("vxlan", 0)
    for family, i in FAMILIES:
        vip = ("10.9.0.9", "fd09::9")[i]
        vr(1, f"nexthop add id {50 + i} ecmp member {pods['b'].addr(i)} port 7200")
        vr(1, f"vip add vrf 1 {vip} udp 7200 nexthop {50 + i}")
        tap.check(echo("a", "b", i, 8000, vip), f"8000 octets by a service to another node (IPv{family})")
        vr(1, f"vip del vrf 1 {vip} udp 7200")
        vr(1, f"nexthop del id {50 + i}")


def host():
    hosts = {n: Place(ns[n], f"host{n}", (f"10.0.0.{n}", f"fd00::{n}")) for n in (1, 2)}
    for n, h in hosts.items():
        ns[n].run(["ip", "link", "add", "vrouter0", "mtu", "1450", "type", "vrouter"])
        ns[n].run(["ip", "link", "set", "vrouter0", "up"])
        vr(n, "vif add id 70 host dev vrouter0 vrf 1 label node")
        vr(n, "nexthop add id 70 local vif 70")
        for i in (0, 1):
            ns[n].run(["ip", "addr", "add", f"{h.addrs[i]}/{BITS[i]}", "dev", "lo"])
            ns[n].run(["ip", "route", "add", ("10.0.0.0/8", "fd00::/8")[i], "dev", "vrouter0", "src", h.addrs[i]])
            vr(n, f"route add vrf 1 {h.addrs[i]}/{BITS[i]} nexthop 70")
            vr(n, f"route add vrf 1 {hosts[3 - n].addrs[i]}/{BITS[i]} nexthop 80")
        for proto in ("tcp", "udp"):
            world.serve(h, proto, 7100)
    vr(2, "sg add id 12 label test/closed")
    vr(2, pods["b"].cmd + " sg 12")
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        for proto in ("tcp", "udp"):
            tap.equal(world.ask(hosts[2], proto, pods["b"].addr(i), 7000, WAIT), "b",
                      f"the node reaches its own pod, closed as it is: {proto} {v}")
            tap.equal(world.ask(hosts[2], proto, pods["a"].addr(i), 7000, WAIT), "a",
                      f"and one of another node: {proto} {v}")
            tap.equal(world.ask(pods["a"], proto, hosts[1].addr(i), 7100, WAIT), "host1",
                      f"a pod reaches its node: {proto} {v}")
            tap.equal(world.ask(pods["a"], proto, hosts[2].addr(i), 7100, WAIT), "host2",
                      f"and another one: {proto} {v}")
            tap.equal(world.ask(hosts[1], proto, hosts[2].addr(i), 7100, WAIT), "host2",
                      f"a node reaches another: {proto} {v}")
        vip = ("10.9.0.9", "fd09::9")[i]
        vr(1, f"nexthop add id {50 + i} ecmp member {pods['a'].addr(i)} port 7000")
        vr(1, f"nexthop add id {52 + i} ecmp member {hosts[1].addr(i)} port 7100")
        for port, name, nh in ((80, "a", 50), (81, "host1", 52)):
            vr(1, f"vip add vrf 1 {vip} tcp {port} nexthop {nh + i}")
            tap.equal(world.ask(hosts[1], "tcp", vip, port, WAIT), name, f"the node reaches a service: {name} {v}")
            tap.equal(world.ask(pods["a"], "tcp", vip, port, WAIT), name, f"a pod reaches it: {name} {v}")
            vr(1, f"vip del vrf 1 {vip} tcp {port}")
        vr(1, f"nexthop del id {50 + i}")
        vr(1, f"nexthop del id {52 + i}")
        res = ns[1].run(["ping", "-n", "-c", "1", "-W", str(WAIT), GW[i]], check=False)
        tap.check(res.returncode == 0, f"the gateway answers the node {v}", res.stdout)
    vr(2, pods["b"].cmd)
    vr(2, "sg del id 12")
    tap.equal(bulk(hosts[1], pods["b"], ADDR["b"][0], 1 << 20), 1 << 20, "1 MB from the node to a pod of another")
    # it goes with its link
    ns[1].run(["ip", "link", "del", "vrouter0"])
    wait_for(lambda: all(v["id"] != 70 for v in vr(1, "vif show")), "the vif goes with the link", WAIT)
    tap.check(True, "the vif goes with the link")


set_up()
CASES = (across, wire, trust, forged_by_pod, refused, mtu, errors, policy, services, fragments, host)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
