#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The packet path seen from two VMs' taps: every frame in and out is made and read here.

        tap a (10.1.0.2, fd01::2) --- vrouter --- tap b (10.1.0.3, fd01::3)
                        VRF 1, gateway 10.1.0.1, fd01::1
"""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest import frame as fr
from vrtest.node import VrctlError, load_module
from vrtest.pair import A, B, FAMILIES, GW, MAC_A, MAC_B, VIP, WAIT, Pair
from vrtest.tap import Tap as TapOutput, wait_for

load_module()
tap = TapOutput("datapath")
pair = Pair(tap, "datapath")
ns, vm = pair.ns, pair.vm
vr, drops, send, flush, expect_drop = pair.vr, pair.drops, pair.send, pair.flush, pair.expect_drop


# --- neighbours and the gateway ---------------------------------------------------

def arp():
    for target in (GW[0], B[0], "10.1.0.77"):
        vm["a"].send(fr.eth(fr.BROADCAST, MAC_A, fr.ETH_ARP, fr.arp(1, MAC_A, A[0], b"\0" * 6, target)))
        p = vm["a"].receive(lambda p: p.proto == fr.ETH_ARP, WAIT)
        good = p and p.frame[6:12] == fr.GATEWAY_MAC and p.dst_mac == MAC_A and \
            p.frame[20:22] == b"\0\2" and p.frame[22:28] == fr.GATEWAY_MAC and p.frame[28:32] == fr.ip(target)
        tap.check(good, f"ARP for {target} is answered with the gateway's MAC", p and p.frame.hex())
    tap.equal(vm["b"].receive(seconds=0), None, "ARP reaches no other VM")
    vm["a"].send(fr.eth(fr.BROADCAST, MAC_A, fr.ETH_ARP, fr.arp(1, MAC_A, A[0], b"\0" * 6, A[0])))
    vm["a"].send(fr.eth(fr.BROADCAST, MAC_A, fr.ETH_ARP, fr.arp(1, MAC_A, A[0], b"\0" * 6, GW[0])))
    p = vm["a"].receive(lambda p: p.proto == fr.ETH_ARP, WAIT)
    tap.check(p and p.frame[28:32] == fr.ip(GW[0]), "ARP for its own address is not answered")
    expect_drop("bad-arp", "an ARP reply from a VM", lambda: vm["a"].send(
        fr.eth(fr.GATEWAY_MAC, MAC_A, fr.ETH_ARP, fr.arp(2, MAC_A, A[0], fr.GATEWAY_MAC, GW[0]))))
    expect_drop("bad-arp", "a truncated ARP", lambda: vm["a"].send(
        fr.eth(fr.BROADCAST, MAC_A, fr.ETH_ARP, fr.arp(1, MAC_A, A[0], b"\0" * 6, GW[0])[:20])))
    expect_drop("spoofed-ip", "ARP with another's address", lambda: vm["a"].send(
        fr.eth(fr.BROADCAST, MAC_A, fr.ETH_ARP, fr.arp(1, MAC_A, B[0], b"\0" * 6, GW[0]))))


def nd():
    for target in (GW[1], "fe80::1", B[1]):
        body, dst = fr.neighbour_solicit(A[1], target, MAC_A)
        group = b"\x33\x33" + fr.ip(dst)[12:]
        vm["a"].send(fr.eth(group, MAC_A, fr.ETH_IPV6, fr.ipv6(A[1], dst, 58, body, hops=255)))
        # a checksum over the real destination
        p = vm["a"].receive(lambda p: p.l4 == 58 and p.kind == 136, WAIT)
        good = p and p.checksum_ok() and p.payload[8:24] == fr.ip(target) and \
            p.payload[24:26] == b"\x02\x01" and p.payload[26:32] == fr.GATEWAY_MAC and p.ttl == 255
        tap.check(good, f"a neighbour solicitation for {target} is answered", p)
    expect_drop("bad-nd", "a router advertisement from a VM", lambda: send(
        "a", fr.ipv6(A[1], "ff02::1", 58, fr.icmp6(A[1], "ff02::1", 134, 0, b"\0" * 12), hops=255),
        dst=fr.mac("33:33:00:00:00:01")))


def gateway_ping():
    for family, i in FAMILIES:
        send("a", fr.ipx(A[i], GW[i], 58 if i else 1, fr.echo(A[i], GW[i], 7, 9)))
        p = vm["a"].receive(lambda p: p.kind in (0, 129), WAIT)
        tap.check(p and p.src == GW[i] and p.dst == A[i] and p.checksum_ok() and p.ip_ok
                  and p.payload[4:8] == struct.pack("!HH", 7, 9), f"ping to the gateway (IPv{family})", p)
        expect_drop("gateway", f"UDP to the gateway (IPv{family})", lambda i=i: send(
            "a", fr.ipx(A[i], GW[i], 17, fr.udp(A[i], GW[i], 5, 5))))


# --- forwarding -----------------------------------------------------------------------

def forward():
    for family, i in FAMILIES:
        flush()
        send("a", fr.ipx(A[i], B[i], 17, fr.udp(A[i], B[i], 1000, 2000, b"hello")))
        p = vm["b"].receive(lambda p: p.l4 == 17, WAIT)
        tap.check(p and p.payload[8:] == b"hello" and p.checksum_ok() and p.ip_ok and p.ttl == 63
                  and p.dst_mac == MAC_B and p.src_mac == fr.GATEWAY_MAC, f"UDP is routed (IPv{family})", p)
        flows = vr(f"flow show src {A[i]}")
        tap.check(flows and len(flows) == 1 and flows[0]["state"] == "new", "one flow, new", flows)
        send("b", fr.ipx(B[i], A[i], 17, fr.udp(B[i], A[i], 2000, 1000, b"world")), mac=MAC_B)
        p = vm["a"].receive(lambda p: p.l4 == 17, WAIT)
        tap.check(p and p.payload[8:] == b"world", "its reply comes back", p)
        tap.equal(vr(f"flow show src {A[i]}")[0]["state"], "open", "and the flow is open")


def ttl_and_mtu():
    for family, i in FAMILIES:
        flush()
        before = drops("ttl")
        hop = {"hops": 1} if i else {"ttl": 1}
        send("a", fr.ipx(A[i], B[i], 17, fr.udp(A[i], B[i], 1, 2, b"x" * 30), **hop))
        p = vm["a"].receive(lambda p: p.kind in (11, 3) and p.l4 in (1, 58), WAIT)
        tap.check(p and p.src == GW[i] and p.kind == (3 if i else 11) and p.checksum_ok()
                  and drops("ttl") > before, f"time exceeded comes from the gateway (IPv{family})", p)
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} mtu 1280 label vm/b")
        before = drops("mtu")
        big = {} if i else {"frag": 0x4000}
        send("a", fr.ipx(A[i], B[i], 17, fr.udp(A[i], B[i], 3, 4, b"x" * 1300), **big))
        p = vm["a"].receive(lambda p: p.l4 in (1, 58) and p.kind in (3, 2), WAIT)
        mtu = p and (struct.unpack("!I", p.payload[4:8])[0] & 0xFFFF)
        tap.check(p and p.kind == (2 if i else 3) and (i or p.code == 4) and mtu == 1280 and p.checksum_ok()
                  and drops("mtu") > before, f"too big is told with the MTU (IPv{family})", p)
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b")


def spoofing():
    expect_drop("spoofed-mac", "another's source MAC", lambda: send(
        "a", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 1, 2)), mac=MAC_B))
    for family, i in FAMILIES:
        expect_drop("spoofed-ip", f"another's source address (IPv{family})", lambda i=i: send(
            "a", fr.ipx(B[i], A[i], 17, fr.udp(B[i], A[i], 1, 2))))
        flush()
        send("b", fr.ipx(B[i], A[i], 17, fr.udp(B[i], A[i], 50, 60)), mac=MAC_B)
        wait_for(lambda i=i: vr(f"flow show src {B[i]}"), "the flow of b", WAIT)
        expect_drop("spoofed-ip", f"a packet that matches another's flow (IPv{family})", lambda i=i: send(
            "a", fr.ipx(B[i], A[i], 17, fr.udp(B[i], A[i], 50, 60))))


def no_route():
    for family, i in FAMILIES:
        away = ("192.0.2.1", "2001:db8::1")[i]
        expect_drop("no-route", f"no route (IPv{family})", lambda i=i, away=away: send(
            "a", fr.ipx(A[i], away, 17, fr.udp(A[i], away, 1, 2))))
    vr("nexthop add id 90 blackhole")
    vr("route add vrf 1 198.51.100.0/24 nexthop 90")
    expect_drop("blackhole", "a blackhole route", lambda: send(
        "a", fr.ipv4(A[0], "198.51.100.7", 17, fr.udp(A[0], "198.51.100.7", 1, 2))))
    vr("route del vrf 1 198.51.100.0/24")
    vr("vrf add id 2 label test/other")
    vr(f"route add vrf 2 10.77.0.0/16 nexthop 2")
    vr("nexthop add id 91 vrf 2")
    vr("route add vrf 1 10.77.0.0/16 nexthop 91")
    send("a", fr.ipv4(A[0], "10.77.1.1", 17, fr.udp(A[0], "10.77.1.1", 1, 2, b"across")))
    p = vm["b"].receive(lambda p: p.l4 == 17, WAIT)
    tap.check(p and p.dst == "10.77.1.1" and p.payload[8:] == b"across", "a route into another VRF", p)
    vr("nexthop add id 92 vrf 1")
    vr("route add vrf 2 10.78.0.0/16 nexthop 92")
    vr("route add vrf 1 10.78.0.0/16 nexthop 91")
    expect_drop("vrf-loop", "two VRFs that point at each other", lambda: send(
        "a", fr.ipv4(A[0], "10.78.1.1", 17, fr.udp(A[0], "10.78.1.1", 1, 2))))
    for route in ("10.77.0.0/16", "10.78.0.0/16"):
        vr(f"route del vrf 1 {route}")
        vr(f"route del vrf 2 {route}")
    vr("nexthop del id 91")
    vr("nexthop del id 92")
    vr("vrf del id 2")


def to_the_node():
    """A route to the node's own stack: a real socket gets it, the groups of the pod still count."""
    node = ("192.0.2.77", "2001:db8::77")
    vr("nexthop add id 93 host")
    for family, i in FAMILIES:
        flush()
        bits = (32, 128)[i]
        ns.run(["ip", "addr", "add", f"{node[i]}/{bits}", "dev", "lo"])
        vr(f"route add vrf 1 {node[i]}/{bits} nexthop 93")
        with ns:
            sock = socket.socket((socket.AF_INET, socket.AF_INET6)[i], socket.SOCK_DGRAM)
        sock.settimeout(WAIT)
        sock.bind((node[i], 5353))
        send("a", fr.ipx(A[i], node[i], 17, fr.udp(A[i], node[i], 700, 5353, b"to the node")))
        data, sender = sock.recvfrom(100)
        tap.check(data == b"to the node" and sender[:2] == (A[i], 700),
                  f"a packet by the host next hop is the node's own, as it was sent (IPv{family})", (data, sender))
        flow = vr(f"flow show src {A[i]} dport 5353")
        tap.check(flow and len(flow) == 1 and "vif" not in flow[0].get("reply", {}), "its flow is there", flow)
        vr("sg add id 9 label test/no-node enforce egress")
        vr(f"vif replace id 1 dev tap-a vrf 1 mac 02:00:00:00:00:0a addr {A[0]} addr {A[1]} label vm/a sg 9")
        expect_drop("sg-egress", f"a group that allows nothing out (IPv{family})", lambda i=i: send(
            "a", fr.ipx(A[i], node[i], 17, fr.udp(A[i], node[i], 700, 5353, b"no"))))
        vr(f"vif replace id 1 dev tap-a vrf 1 mac 02:00:00:00:00:0a addr {A[0]} addr {A[1]} label vm/a")
        vr("sg del id 9")
        sock.close()
        vr(f"route del vrf 1 {node[i]}/{bits}")
        expect_drop("no-route", f"the same without the route (IPv{family})", lambda i=i: send(
            "a", fr.ipx(A[i], node[i], 17, fr.udp(A[i], node[i], 700, 5353, b"no"))))
    vr("nexthop del id 93")


# --- bad packets ----------------------------------------------------------------------

def bad_packets():
    u4, u6 = fr.udp(A[0], B[0], 1, 2, b"data"), fr.udp(A[1], B[1], 1, 2, b"data")
    t4 = fr.tcp(A[0], B[0], 1, 2, "S")
    cases = [
        ("bad-ip", "a wrong IP version", fr.ipv4(A[0], B[0], 17, u4, version=5)),
        ("bad-ip", "a header length below 5", fr.ipv4(A[0], B[0], 17, u4, ihl=4)),
        ("bad-ip", "a header length beyond the packet", fr.ipv4(A[0], B[0], 17, b"", ihl=15)),
        ("bad-ip", "a total length beyond the packet", fr.ipv4(A[0], B[0], 17, u4, tot_len=500)),
        ("bad-ip", "a total length below the header", fr.ipv4(A[0], B[0], 17, u4, tot_len=19)),
        ("bad-ip", "a wrong header checksum", fr.ipv4(A[0], B[0], 17, u4, check=0x1234)),
        ("bad-ip", "loose source routing", fr.ipv4(A[0], B[0], 17, u4,
                                                  options=b"\x83\x07\x04" + fr.ip(B[0]) + b"\0")),
        ("bad-ip", "a truncated IPv4 header", fr.ipv4(A[0], B[0], 17, u4)[:12]),
        ("bad-ip", "a truncated IPv6 header", fr.ipv6(A[1], B[1], 17, u6)[:30]),
        ("bad-ip", "an IPv6 payload length beyond the packet", fr.ipv6(A[1], B[1], 17, u6, len=900)),
        ("bad-l4", "a truncated UDP header", fr.ipv4(A[0], B[0], 17, u4[:5])),
        ("bad-l4", "a UDP length beyond the packet", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 1, 2, len=99))),
        ("bad-l4", "a UDP length below 8", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 1, 2, len=7))),
        ("bad-l4", "a truncated TCP header", fr.ipv4(A[0], B[0], 6, t4[:15])),
        ("bad-l4", "a TCP data offset beyond the packet", fr.ipv4(A[0], B[0], 6, fr.tcp(
            A[0], B[0], 1, 2, "S", doff=15))),
        ("bad-l4", "a TCP data offset below 5", fr.ipv6(A[1], B[1], 6, fr.tcp(A[1], B[1], 1, 2, "S", doff=2))),
        ("bad-l4", "a truncated ICMP", fr.ipv4(A[0], B[0], 1, b"\x08\0\0")),
        ("protocol", "GRE", fr.ipv4(A[0], B[0], 47, b"\0" * 20)),
        ("protocol", "ESP in IPv6", fr.ipv6(A[1], B[1], 50, b"\0" * 20)),
        ("multicast", "IPv4 multicast", fr.ipv4(A[0], "224.0.0.5", 17, u4)),
        ("multicast", "limited broadcast", fr.ipv4(A[0], "255.255.255.255", 17, u4)),
        ("martian", "to the loopback network", fr.ipv4(A[0], "127.0.0.1", 17, u4)),
        ("martian", "to ::1", fr.ipv6(A[1], "::1", 17, u6)),
        ("tcp-no-flow", "an ACK of no connection", fr.ipv4(A[0], B[0], 6, fr.tcp(A[0], B[0], 9, 9, "A"))),
        ("tcp-no-flow", "a SYN+ACK of no connection", fr.ipv6(A[1], B[1], 6, fr.tcp(A[1], B[1], 9, 9, "SA"))),
        ("icmp-no-flow", "an echo reply of no flow", fr.ipv4(A[0], B[0], 1, fr.echo(A[0], B[0], reply=True))),
        ("icmp-no-flow", "an ICMP error of no flow", fr.ipv4(A[0], B[0], 1, fr.icmp4(
            3, 3, b"\0" * 4, fr.ipv4(B[0], A[0], 17, fr.udp(B[0], A[0], 77, 78))))),
    ]
    for reason, what, packet in cases:
        flush()
        expect_drop(reason, what, lambda packet=packet: send("a", packet,
                    proto=fr.ETH_IP if "IPv6" not in what and packet[0] >> 4 != 6 else fr.ETH_IPV6))
    loop = b""
    for _ in range(60):
        loop += b"\x3c\0" + b"\1\4\0\0\0\0"     # destination options, again and again
    expect_drop("bad-ip", "an endless chain of IPv6 extension headers", lambda: send(
        "a", fr.ipv6(A[1], B[1], 60, loop + u6)))
    expect_drop("bad-ethernet", "an unknown EtherType", lambda: send("a", b"\0" * 46, proto=0x88B5))
    expect_drop("bad-ethernet", "a VLAN tag", lambda: vm["a"].send(
        fr.eth(fr.GATEWAY_MAC, MAC_A, 0x8100, b"\0\x05\x08\0" + fr.ipv4(A[0], B[0], 17, u4))))
    expect_drop("bad-ethernet", "a frame for another MAC", lambda: send(
        "a", fr.ipv4(A[0], B[0], 17, u4), dst=MAC_B))


# --- TCP ------------------------------------------------------------------------------------

class Conn:
    """A TCP connection from a to b, segment by segment."""

    def __init__(self, i, sport, dst=None, dport=80):
        self.i, self.sport, self.dport = i, sport, dport
        self.dst = dst or B[i]

    def a(self, flags, seq=1000, ack=0, data=b""):
        send("a", fr.ipx(A[self.i], self.dst, 6, fr.tcp(A[self.i], self.dst, self.sport, self.dport,
                                                       flags, seq, ack, data)))
        return vm["b"].receive(lambda p: p.l4 == 6, WAIT)

    def b(self, flags, seq=5000, ack=0, data=b"", port=None):
        send("b", fr.ipx(B[self.i], A[self.i], 6, fr.tcp(B[self.i], A[self.i], port or self.dport,
                                                        self.sport, flags, seq, ack, data)), mac=MAC_B)
        return vm["a"].receive(lambda p: p.l4 == 6, WAIT)

    def open(self):
        return self.a("S", 1000) and self.b("SA", 5000, 1001) and self.a("A", 1001, 5001)

    def state(self):
        flows = vr(f"flow show src {A[self.i]} sport {self.sport}")
        return flows[0]["state"] if flows else None


def tcp():
    for family, i in FAMILIES:
        flush()
        c = Conn(i, 2000 + i)
        c.a("S")
        tap.equal(c.state(), "new", f"SYN: new (IPv{family})")
        c.b("SA", 5000, 1001)
        tap.equal(c.state(), "syn-recv", "SYN+ACK: syn-recv")
        c.a("A", 1001, 5001)
        tap.equal(c.state(), "established", "ACK: established")
        tap.check(c.a("PA", 1001, 5001, b"data") and c.b("A", 5001, 1005), "data passes")
        c.a("FA", 1005, 5001)
        tap.equal(c.state(), "half-closed", "FIN: half-closed")
        tap.check(c.b("PA", 5001, 1006, b"late"), "the other side may still send")
        c.b("FA", 5005, 1006)
        c.a("A", 1006, 5006)
        tap.equal(c.state(), "closed", "both FIN: closed")
        p = c.a("S", 900000)
        tap.check(p and c.state() == "new", "a SYN on a closed connection opens a new one", p)
        c = Conn(i, 2100 + i)
        c.open()
        expect_drop("tcp-rst", f"an RST far outside of the window (IPv{family})", lambda c=c: send(
            "a", fr.ipx(A[c.i], B[c.i], 6, fr.tcp(A[c.i], B[c.i], c.sport, 80, "R", 0x50000000, 0))))
        tap.equal(c.state(), "established", "and the connection lives")
        c.a("R", 1001, 0)
        tap.equal(c.state(), "closed", "an RST in sequence closes it")


def invalid_never_resets():
    """conntrack.go: an out-of-window packet must not reset the connection."""
    flush()
    c = Conn(0, 2200)
    c.open()
    send("a", fr.ipv4(A[0], B[0], 6, fr.tcp(A[0], B[0], 2200, 80, "A", 0x70000000, 5001, b"wild")))
    vm["b"].receive(lambda p: p.l4 == 6, 0.2)
    reset = vm["a"].receive(lambda p: p.l4 == 6 and "R" in (p.flags or ""), 0.2)
    tap.check(reset is None and c.state() == "established", "a packet out of the window resets nothing", reset)
    tap.check(c.a("PA", 1001, 5001, b"go on"), "the connection goes on")


# --- services ----------------------------------------------------------------------------

def vip():
    for family, i in FAMILIES:
        flush()
        vr(f"nexthop add id {20 + i} ecmp member {B[i]} port 8080")
        vr(f"vip add vrf 1 {VIP[i]} tcp 80 nexthop {20 + i} label test/svc:http")
        vr(f"vip add vrf 1 {VIP[i]} udp 80 nexthop {20 + i}")
        c = Conn(i, 3000 + i, VIP[i])
        p = c.a("S")
        tap.check(p and p.dst == B[i] and p.dport == 8080 and p.src == A[i] and p.checksum_ok() and p.ip_ok,
                  f"VIP: destination and port are translated, the client is kept (IPv{family})", p)
        p = c.b("SA", 5000, 1001, port=8080)
        tap.check(p and p.src == VIP[i] and p.sport == 80 and p.checksum_ok() and p.ip_ok,
                  "VIP: the reply comes from the VIP", p)
        send("a", fr.ipx(A[i], VIP[i], 17, fr.udp(A[i], VIP[i], 4000, 80, b"q")))
        p = vm["b"].receive(lambda p: p.l4 == 17, WAIT)
        quoted = p.frame[14:]
        err = fr.icmp6(B[i], A[i], 1, 4, b"\0" * 4, quoted) if i else fr.icmp4(3, 3, b"\0" * 4, quoted)
        send("b", fr.ipx(B[i], A[i], 58 if i else 1, err), mac=MAC_B)
        e = vm["a"].receive(lambda p: p.l4 in (1, 58), WAIT)
        inner = e and fr.Packet(b"\0" * 12 + (b"\x86\xdd" if i else b"\x08\0") + e.payload[8:])
        tap.check(e and e.checksum_ok() and e.src == VIP[i] and inner.src == A[i] and inner.dst == VIP[i]
                  and inner.sport == 4000 and inner.dport == 80,
                  f"an ICMP error of the member reads as if from the VIP (IPv{family})", (e, inner))
        send("a", fr.ipx(A[i], VIP[i], 6, fr.tcp(A[i], VIP[i], 3200, 80, "PA", 500, 9000, b"lost")))
        p = vm["a"].receive(lambda p: p.l4 == 6, WAIT)
        tap.check(p and p.src == VIP[i] and p.flags == "R" and p.checksum_ok()
                  and struct.unpack("!I", p.payload[4:8])[0] == 9000,
                  f"a segment of a connection that the service knows nothing of is reset (IPv{family})", p)
        expect_drop("vip-icmp", f"ping to a VIP (IPv{family})", lambda i=i: send(
            "a", fr.ipx(A[i], VIP[i], 58 if i else 1, fr.echo(A[i], VIP[i]))))
        vr(f"nexthop replace id {20 + i} ecmp")
        send("a", fr.ipx(A[i], VIP[i], 6, fr.tcp(A[i], VIP[i], 3100, 80, "S", 77)))
        p = vm["a"].receive(lambda p: p.l4 == 6, WAIT)
        tap.check(p and p.src == VIP[i] and "R" in p.flags and p.checksum_ok()
                  and struct.unpack("!I", p.payload[8:12])[0] == 78, f"no member: RST at once (IPv{family})", p)
        send("a", fr.ipx(A[i], VIP[i], 17, fr.udp(A[i], VIP[i], 4100, 80, b"q")))
        p = vm["a"].receive(lambda p: p.l4 in (1, 58), WAIT)
        tap.check(p and p.kind == (1 if i else 3) and p.code == (4 if i else 3) and p.checksum_ok(),
                  f"no member: port unreachable at once (IPv{family})", p)
        for proto in ("tcp", "udp"):
            vr(f"vip del vrf 1 {VIP[i]} {proto} 80")
        vr(f"nexthop del id {20 + i}")


# --- security groups ---------------------------------------------------------------------

def groups():
    for family, i in FAMILIES:
        flush()
        vr("sg add id 7 label test/locked rule ingress tcp 80 rule egress any")
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b sg 7")
        tap.check(Conn(i, 3300).a("S"), f"allowed by a rule (IPv{family})")
        expect_drop("sg-ingress", f"not allowed by a rule (IPv{family})", lambda i=i: send(
            "a", fr.ipx(A[i], B[i], 17, fr.udp(A[i], B[i], 1, 80))))
        c = Conn(i, 3301)
        c.open()
        vr("sg replace id 7 label test/locked rule ingress tcp 443 rule egress any")
        expect_drop("sg-ingress", "a policy change reaches an established connection", lambda c=c: send(
            "a", fr.ipx(A[c.i], B[c.i], 6, fr.tcp(A[c.i], B[c.i], c.sport, 80, "PA", 1001, 5001, b"x"))))
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b")
        vr("sg del id 7")


# --- bounds ----------------------------------------------------------------------------------

def bounds():
    flush()
    saved = {k: v for k, v in vr("limits show").items() if isinstance(v, int)}
    vr("limits set half-open-per-vif 5")
    for port in range(5):
        send("a", fr.ipv4(A[0], B[0], 6, fr.tcp(A[0], B[0], 6000 + port, 80, "S")))
    expect_drop("vif-half-open-limit", "half-open flows of one vif are bounded", lambda: send(
        "a", fr.ipv4(A[0], B[0], 6, fr.tcp(A[0], B[0], 6100, 80, "S"))))
    send("b", fr.ipv4(B[0], A[0], 6, fr.tcp(B[0], A[0], 6200, 80, "S")), mac=MAC_B)
    tap.check(vm["a"].receive(lambda p: p.l4 == 6 and p.sport == 6200, WAIT), "another vif's are not touched")
    vr(f"limits set half-open-per-vif {saved['half-open-per-vif']}")
    flush()
    vr("limits set flows-per-vif 3")
    for port in range(3):
        send("a", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 6300 + port, 80)))
    expect_drop("vif-flow-limit", "flows of one vif are bounded", lambda: send(
        "a", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 6400, 80))))
    vr(f"limits set flows-per-vif {saved['flows-per-vif']}")
    flush()
    vr("limits set vifs 2")
    extra = fr.Tap(ns, "tap-x")
    try:
        vr("vif add id 9 dev tap-x vrf 1 mac 02:00:00:00:00:09 addr 10.1.0.9")
        tap.check(False, "the limit of vifs holds")
    except VrctlError as err:
        tap.check("limit" in str(err), "the limit of vifs holds, and says so", str(err))
    vr(f"limits set vifs {saved['vifs']}")
    extra.close()


def trace():
    vr("sg add id 8 label test/none enforce ingress")
    vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b sg 8")
    flows = vr("flow show")
    try:
        vr(f"trace vif 1 src {A[0]} dst {B[0]} proto tcp dport 80")
        tap.check(False, "trace of a denied packet exits non-zero")
    except VrctlError:
        tap.check(True, "trace of a denied packet exits non-zero")
    text = ns.run([os.environ["VROUTER_BUILD"] + "/vrctl", "trace", "vif", "1", "src", A[0], "dst", B[0],
                   "proto", "tcp", "dport", "80"], check=False).stdout
    tap.check("test/none" in text and "sg-ingress" in text, "and names the group that denied it", text)
    tap.equal(vr("flow show"), flows, "trace makes no flow")
    tap.equal(vm["b"].receive(seconds=0), None, "and sends no packet")
    vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b")
    vr("sg del id 8")


tap.run([(f.__name__, f) for f in (arp, nd, gateway_ping, forward, ttl_and_mtu, spoofing, no_route, to_the_node,
                                   bad_packets, tcp, invalid_never_resets, vip, groups, bounds, trace)],
        only=os.environ.get("CASE"))
ns.delete()
tap.done()
