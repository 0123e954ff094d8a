#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fragments between two VMs' taps, pods and the node: whole, in order, bounded, none of what is refused.

        tap a (10.1.0.2, fd01::2) --- vrouter --- tap b (10.1.0.3, fd01::3)
                        VRF 1, gateway 10.1.0.1, fd01::1
"""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest import frame as fr
from vrtest.netns import Netns
from vrtest.node import load_module, module_loaded, unload_module
from vrtest.pair import A, B, FAMILIES, GW, MAC_A, MAC_B, VIP, WAIT, Pair
from vrtest.tap import Tap as TapOutput, wait_for

load_module()
tap = TapOutput("fragments")
pair = Pair(tap, "fragments")
ns, vm = pair.ns, pair.vm
vr, drops, send, flush, expect_drop = pair.vr, pair.drops, pair.send, pair.flush, pair.expect_drop

IDENT = iter(range(100, 60000))
DATA = bytes(i * 7 & 0xFF for i in range(8000))
MF = 1


def receive_whole(name, count, want=lambda p: True):
    """So many fragments, as they come."""
    return [vm[name].receive(lambda p: p.frag and want(p), WAIT) for _ in range(count)]


def used_bytes():
    return vr("limits show")["used"]["fragment-bytes"]


def check_way(what, src, dst, sport, dport, to, new_src, new_dst, new_sport, new_dport, order=lambda f: f):
    """One datagram of 8 000 octets from a VM; arrives whole, in order, sized as it was."""
    name, mac = ("a", MAC_A) if to == "b" else ("b", MAC_B)
    sent = fr.fragments(src, dst, 17, fr.udp(src, dst, sport, dport, DATA), ident=next(IDENT))
    for packet in order(sent):
        send(name, packet, mac=mac)
    got = receive_whole(to, len(sent))
    p = fr.whole(got)
    good = p and p.ip_ok and p.checksum_ok() and p.payload[8:] == DATA and \
        (p.src, p.dst, p.sport, p.dport) == (new_src, new_dst, new_sport, new_dport) and \
        all(f.ttl == 63 for f in got) and [len(f.frame) - 14 for f in got] == [len(f) for f in sent] and \
        [f.frag[1] for f in got] == sorted(f.frag[1] for f in got)
    tap.check(good, what, got)
    return got


def in_any_order():
    held = used_bytes()
    for family, i in FAMILIES:
        flush()
        for what, order in (("in order", lambda f: f), ("reversed", lambda f: f[::-1]),
                            ("the first one last", lambda f: f[1:] + f[:1])):
            check_way(f"fragments, {what}, arrive (IPv{family})", A[i], B[i], 1000, 2000, "b",
                      A[i], B[i], 1000, 2000, order)
        flow = vr(f"-s flow show src {A[i]}")
        tap.check(flow and len(flow) == 1 and flow[0]["orig-packets"] == 18
                  and flow[0]["orig-bytes"] > 3 * 8000, "one flow counts them all", flow)
        one, two = (fr.fragments(A[i], B[i], 17, fr.udp(A[i], B[i], port, 2000, DATA), ident=next(IDENT))
                    for port in (1001, 1002))
        for pair in zip(one, reversed(two)):
            for packet in pair:
                send("a", packet)
        got = receive_whole("b", 12)
        both = [fr.whole([p for p in got if p and p.frag[0] == n]) for n in {p.frag[0] for p in got if p}]
        tap.check(len(both) == 2 and all(p and p.checksum_ok() for p in both)
                  and {p.sport for p in both} == {1001, 1002}, f"two datagrams at once (IPv{family})", got)
        proto = 58 if i else 1
        ping = fr.icmp6(A[i], B[i], 128, 0, b"\0\7\0\1", DATA) if i else fr.icmp4(8, 0, b"\0\7\0\1", DATA)
        for packet in fr.fragments(A[i], B[i], proto, ping, ident=next(IDENT)):
            send("a", packet)
        p = fr.whole(receive_whole("b", 6))
        tap.check(p and p.payload == ping and p.checksum_ok(), f"a ping of 8 000 octets (IPv{family})", p)
    send("a", fr.fragment(A[1], B[1], 17, fr.udp(A[1], B[1], 1003, 2000, b"atom"), 0, 0))
    p = vm["b"].receive(lambda p: p.l4 == 17, WAIT)
    tap.check(p and p.payload[8:] == b"atom" and p.sport == 1003, "an atomic fragment is a whole packet", p)
    tap.equal(used_bytes(), held, "nothing is kept of what went on")


def through_a_vip():
    for family, i in FAMILIES:
        flush()
        vr(f"nexthop add id {20 + i} ecmp member {B[i]} port 8080")
        vr(f"vip add vrf 1 {VIP[i]} udp 80 nexthop {20 + i}")
        got = check_way(f"8 000 octets to a VIP, translated (IPv{family})", A[i], VIP[i], 4000, 80, "b",
                        A[i], B[i], 4000, 8080, lambda f: f[::-1])
        errors = [fr.icmp6(B[i], A[i], 1, 4, b"\0" * 4, p.frame[14:1000]) if i else
                  fr.icmp4(3, 3, b"\0" * 4, p.frame[14:500]) for p in got[:2] if p]
        send("b", fr.ipx(B[i], A[i], 58 if i else 1, errors[0]), mac=MAC_B)
        e = vm["a"].receive(lambda p: p.l4 in (1, 58), WAIT)
        inner = e and fr.Packet(b"\0" * 12 + (b"\x86\xdd" if i else b"\x08\0") + e.payload[8:])
        tap.check(e and e.checksum_ok() and e.src == VIP[i] and inner.frag and
                  (inner.src, inner.dst, inner.sport, inner.dport) == (A[i], VIP[i], 4000, 80),
                  f"an ICMP error about the first fragment is translated (IPv{family})", (e, inner))
        expect_drop("bad-l4", "one about a later fragment", lambda i=i, errors=errors: send(
            "b", fr.ipx(B[i], A[i], 58 if i else 1, errors[1]), mac=MAC_B))
        check_way("and back", B[i], A[i], 8080, 4000, "a", VIP[i], A[i], 80, 4000)
        vr(f"vip del vrf 1 {VIP[i]} udp 80")
        vr(f"nexthop del id {20 + i}")


def refused():
    for family, i in FAMILIES:
        vr("limits set timeout-fragment 600")
        udp = fr.udp(A[i], B[i], 1000, 2000, DATA[:4000])

        def piece(off, end, ident, more=MF, src=A[i], i=i, udp=udp):
            send("a", fr.fragment(src, B[i], 17, udp[off:end], off, more, ident))

        def pieces(*which):
            ident = next(IDENT)
            for off, end in which:
                piece(off, end, ident, int(end < len(udp)))

        end = len(udp)
        cases = [
            ("fragment-overlap", "one that overlaps another", [(0, 1480), (1472, end)]),
            ("fragment-overlap", "one within another", [(0, 2960), (1480, 1488), (2960, end)]),
            ("fragment-overlap", "one around another", [(1480, 1488), (0, 2960), (2960, end)]),
            ("fragment-overlap", "an overlap, and then the missing one", [(2960, end), (1480, 2968), (0, 1480)]),
            ("fragment", "one of no multiple of eight octets", [(0, 1481), (1488, end)]),
            ("fragment", "one without octets", [(0, 1480), (1480, 1480), (1480, end)]),
        ]
        for reason, what, which in cases:
            flush()
            before = drops(reason)
            expect_drop(reason, f"{what} (IPv{family})", lambda which=which: pieces(*which),
                        lambda before=before, reason=reason, which=which:
                        wait_for(lambda: drops(reason) == before + len(which), "all of it", WAIT) is not False)
        flush()
        before = drops("fragment-overlap")
        ident = next(IDENT)
        for off in (0, 1448, 1448, 0, 2896):
            piece(off, min(off + 1448, end), ident, int(off < 2896))
        p = fr.whole(receive_whole("b", 3))
        tap.check(p and p.checksum_ok() and drops("fragment-overlap") == before + 2,
                  f"one that comes twice is dropped alone (IPv{family})", p)
        expect_drop("fragment", f"a first one without the whole TCP header (IPv{family})", lambda i=i: [
            send("a", fr.fragment(A[i], B[i], 6, fr.tcp(A[i], B[i], 1, 2, "S")[:16], 0, MF, 77)),
            send("a", fr.fragment(A[i], B[i], 6, fr.tcp(A[i], B[i], 1, 2, "S")[16:], 16, 0, 77))])
        expect_drop("fragment", f"a UDP header in two pieces (IPv{family})", lambda i=i, udp=udp: send(
            "a", fr.fragment(A[i], B[i], 17, udp[:7], 0, MF, 78)))
        expect_drop("fragment", f"one that overwrites the TCP header (IPv{family})", lambda i=i: send(
            "a", fr.fragment(A[i], B[i], 6, b"x" * 40, 8, 0, 79)))
        expect_drop("fragment", f"one that ends beyond 65 535 octets (IPv{family})", lambda i=i: send(
            "a", fr.fragment(A[i], B[i], 17, b"x" * 100, 65520, 0, 80)))
        held = used_bytes()
        expect_drop("spoofed-ip", f"one from another's address (IPv{family})", lambda piece=piece, i=i: piece(
            0, 1480, 81, src=("10.1.0.77", "fd01::77")[i]))
        tap.equal(used_bytes(), held, "and it takes no memory")
        expect_drop("bad-l4", f"a UDP length beyond the datagram (IPv{family})", lambda i=i: [
            send("a", p) for p in fr.fragments(A[i], B[i], 17, fr.udp(A[i], B[i], 1, 2, b"x" * 2000, len=2009))])
        vr("sg add id 7 label test/locked rule ingress udp 80 rule egress any")
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b sg 7")
        before = drops("sg-ingress")
        expect_drop("sg-ingress", f"what the groups refuse, all of it (IPv{family})",
                    lambda pieces=pieces, end=end: pieces((1480, end), (0, 1480)),
                    lambda before=before: drops("sg-ingress") == before + 2)
        vr(f"vif replace id 2 dev tap-b vrf 1 mac 02:00:00:00:00:0b addr {B[0]} addr {B[1]} label vm/b")
        vr("sg del id 7")
    before, last = drops("fragment-timeout"), next(IDENT)
    piece(0, 1480, last)
    piece(2960, 4440, last)
    vr("limits set timeout-fragment 1")
    wait_for(lambda: drops("fragment-timeout") == before + 2, "the time-out", WAIT + 2)
    tap.equal(used_bytes(), 0, "what never became whole is dropped in time, and counted")
    vr("limits set timeout-fragment 15")


def bounds():
    flush()
    saved = vr("limits show")["fragment-bytes"]
    send("a", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 7000, 7001, b"before")))
    tap.check(vm["b"].receive(lambda p: p.sport == 7000, WAIT), "a flow before the flood")
    vr(f"limits set fragment-bytes {256 << 10}")
    before = drops("fragment-limit")
    for n in range(500):
        send("a", fr.fragment(A[0], B[0], 17, DATA[:1400], 1480, MF, 1000 + n))
    wait_for(lambda: drops("fragment-limit") > before, "fragment-limit", WAIT)
    tap.check(0 < used_bytes() <= 64 << 10, "a flood of fragments has a quarter of the memory", used_bytes())
    send("a", fr.ipv4(A[0], B[0], 17, fr.udp(A[0], B[0], 7000, 7001, b"within")))
    p = vm["b"].receive(lambda p: p.sport == 7000, WAIT)
    tap.check(p and p.payload[8:] == b"within", "the flow goes on", p)
    check_way("another vif's fragments pass", B[0], A[0], 7002, 7003, "a", B[0], A[0], 7002, 7003)
    vr("limits set timeout-fragment 1")
    wait_for(lambda: used_bytes() == 0, "the flood is forgotten", WAIT + 2)
    vr(f"limits set fragment-bytes {saved} timeout-fragment 15")
    before, ident = drops("fragment-limit"), next(IDENT)
    for n in range(65):
        send("a", fr.fragment(A[0], B[0], 17, DATA[:8], 8 + 8 * n, MF, ident))
    wait_for(lambda: drops("fragment-limit") == before + 65, "the 65th", WAIT)
    tap.equal(used_bytes(), 0, "more than 64 fragments are forgotten")
    vm["x"] = fr.Tap(ns, "tap-x")
    vr("vif add id 9 dev tap-x vrf 1 mac 02:00:00:00:00:09 addr 10.1.0.9")
    send("x", fr.fragment("10.1.0.9", B[0], 17, DATA[:1480], 0, MF), mac=fr.mac("02:00:00:00:00:09"))
    wait_for(used_bytes, "its fragment", WAIT)
    vr("vif del id 9")
    tap.equal(used_bytes(), 0, "a vif takes its fragments with it")
    vm.pop("x").close()


def of_sockets():
    """What the kernel itself cuts and puts together: two pods, and the node."""
    pods, node = {}, ("192.0.2.78", "2001:db8::78")
    vr("nexthop add id 93 host")
    for number, name in ((30, "c"), (31, "d")):
        pods[name] = pod = Netns(f"frag-{name}")
        ns.run(["ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", pod.name])
        ns.run(["ip", "link", "set", f"v-{name}", "up"])
        mac = f"02:00:00:00:00:{number}"
        pod.run(["ip", "link", "set", "eth0", "address", mac, "mtu", "1500", "up"])
        for i, addr in enumerate((f"10.1.1.{number}", f"fd01:1::{number}")):
            pod.run(["ip", "addr", "add", f"{addr}/{(32, 128)[i]}", "dev", "eth0"] + (["nodad"] if i else []))
            pod.run(["ip", "route", "add", f"{GW[i]}/{(32, 128)[i]}", "dev", "eth0"])
            pod.run(["ip", "route", "add", "default", "via", GW[i], "dev", "eth0"])
        vr(f"vif add id {number} dev v-{name} vrf 1 mac {mac} addr 10.1.1.{number} addr fd01:1::{number}")
        vr(f"nexthop add id {number} local vif {number}")
        for i, addr in enumerate((f"10.1.1.{number}/32", f"fd01:1::{number}/128")):
            vr(f"route add vrf 1 {addr} nexthop {number}")
    for family, i in FAMILIES:
        kind, bits = (socket.AF_INET, socket.AF_INET6)[i], (32, 128)[i]
        c, d = ("10.1.1.30", "fd01:1::30")[i], ("10.1.1.31", "fd01:1::31")[i]
        vr(f"nexthop add id {20 + i} ecmp member {d} port 8080")
        vr(f"vip add vrf 1 {VIP[i]} udp 80 nexthop {20 + i}")
        ns.run(["ip", "addr", "add", f"{node[i]}/{bits}", "dev", "lo"])
        vr(f"route add vrf 1 {node[i]}/{bits} nexthop 93")
        socks = []
        for home, addr in ((pods["c"], (c, 4000)), (pods["d"], (d, 8080)), (ns, (node[i], 5353))):
            with home:
                socks.append(socket.socket(kind, socket.SOCK_DGRAM))
            socks[-1].settimeout(WAIT)
            socks[-1].bind(addr)
        client, server, host = socks
        for size in (8000, 65000):
            data = os.urandom(size)
            client.sendto(data, (VIP[i], 80))
            got, sender = server.recvfrom(70000)
            tap.check(got == data and sender[0] == c, f"{size} octets, pod to VIP to pod (IPv{family})", sender)
            server.sendto(data[::-1], sender)
            got, sender = client.recvfrom(70000)
            tap.check(got == data[::-1] and sender[:2] == (VIP[i], 80), "and back", sender)
        client.sendto(data[:8000], (node[i], 5353))
        got, sender = host.recvfrom(70000)
        tap.check(got == data[:8000] and sender[:2] == (c, 4000), f"8000 octets to the node (IPv{family})", sender)
        ping = pods["c"].run(["ping", "-c", "3", "-i", "0.2", "-s", "4000", "-W", str(WAIT), d], check=False)
        tap.check(ping.returncode == 0, f"ping -s 4000 (IPv{family})", ping.stdout)
        for sock in socks:
            sock.close()
        vr(f"vip del vrf 1 {VIP[i]} udp 80")
        vr(f"nexthop del id {20 + i}")
        vr(f"route del vrf 1 {node[i]}/{bits}")
        ns.run(["ip", "addr", "del", f"{node[i]}/{bits}", "dev", "lo"])
    for number, name in ((30, "c"), (31, "d")):
        for prefix in (f"10.1.1.{number}/32", f"fd01:1::{number}/128"):
            vr(f"route del vrf 1 {prefix}")
        vr(f"nexthop del id {number}")
        vr(f"vif del id {number}")
        pods[name].delete()
    vr("nexthop del id 93")
    tap.equal(used_bytes(), 0, "nothing is left waiting")


def unload_while_they_wait():
    """The module goes, and with it what waits."""
    send("a", fr.fragment(A[0], B[0], 17, DATA[:1400], 0, MF, next(IDENT)))
    send("b", fr.fragment(B[1], A[1], 17, DATA[:1400], 1400, MF, next(IDENT)), mac=MAC_B)
    wait_for(lambda: used_bytes() > 2 * 1400, "two fragments", WAIT)
    unload_module()
    tap.check(not module_loaded(), "the module is unloaded while fragments wait")
    load_module()


tap.run([(f.__name__, f) for f in (in_any_order, through_a_vip, refused, bounds,
                                   of_sockets, unload_while_they_wait)],
        only=os.environ.get("CASE"))
ns.delete()
tap.done()
