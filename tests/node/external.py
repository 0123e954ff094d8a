#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The node and what is outside of it, programmed by hand: services reached from there, pods that
go there, the node's own processes in between.

    n1: pods a, c --- eth0 192.0.2.1 ---+
    n2: pod b ------- eth0 192.0.2.2 ---- bridge
    n3: outside ----- eth0 192.0.2.3 ---+
"""

import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest import frame as fr
from vrtest.netns import run
from vrtest.node import BUILD, VrctlError, load_module
from vrtest.probe import Probe, World
from vrtest.tap import Tap, wait_for
from vrtest.wired import BITS, FAMILIES, GW, WAIT, Place, Underlay, WiredPod, drops, ip, vr

load_module()
tap = Tap("external")
world = World()
net = Underlay(3)
n1, n2, n3 = (net.nodes[i] for i in (1, 2, 3))
NODE = net.addr[1]
EXTERNAL_IP = ("198.51.100.7", "2001:db8:100::7")
ANY = ("0.0.0.0", "::")
PORTS = range(61000, 65536)
pods = {}
outside = Place(n3, "outside", net.addr[3])
host = Place(n1, "host", NODE)
protos = ("tcp", "udp", "sctp")


def set_up():
    for node, me, other in ((n1, 1, 2), (n2, 2, 1)):
        vr(node, f"vrf add id 1 label test/net gateway {GW[0]} gateway {GW[1]}")
        vr(node, "vif add id 90 tunnel vrf 1 vni 5001")
        vr(node, f"nexthop add id 80 tunnel vxlan remote {net.addr[other][0]} local {net.addr[me][0]}")
        ip(node, "link add vrouter0 type vrouter")
        ip(node, "link set vrouter0 mtu 1450 up")
        # an address of its own: without one, reverse path filtering takes nothing for its own
        ip(node, f"addr add {net.addr[me][0]}/32 dev vrouter0")
        node.run(["sysctl", "-qw", "net.ipv4.conf.vrouter0.rp_filter=2"])
        for i in (0, 1):
            ip(node, f"route add default via {('192.0.2.254', '2001:db8::254')[i]} dev eth0")
        vr(node, "vif add id 70 host dev vrouter0 vrf 1 label node")
        vr(node, "nexthop add id 70 local vif 70")
        for i in (0, 1):
            ip(node, f"route add {('10.0.0.0/8', 'fd00::/8')[i]} dev vrouter0 src {net.addr[me][i]}")
            vr(node, f"route add vrf 1 {net.addr[me][i]}/{BITS[i]} nexthop 70")
            vr(node, f"route add vrf 1 {net.addr[other][i]}/{BITS[i]} nexthop 80")
    pods["a"] = WiredPod(n1, "a", 2, ("10.1.0.2", "fd01::2"))
    pods["b"] = WiredPod(n2, "b", 3, ("10.1.0.3", "fd01::3"))
    for node, other in ((n1, "b"), (n2, "a")):
        for i in (0, 1):
            vr(node, f"route add vrf 1 {pods[other].addr(i)}/{BITS[i]} nexthop 80")
    # what comes from outside is in a VRF of its own, from which only members lead on
    vr(n1, "vrf add id 2 label external")
    vr(n1, f"vif add id 60 external vrf 2 addr {NODE[0]} addr {NODE[1]} label external")
    vr(n1, "nexthop add id 61 vrf 1")
    vr(n1, f"nexthop add id 62 snat vif 60 snat-addr {NODE[0]} snat-addr {NODE[1]}")
    vr(n1, "route add vrf 1 0.0.0.0/0 nexthop 62")
    vr(n1, "route add vrf 1 ::/0 nexthop 62")
    for proto in protos:
        for place in (*pods.values(), outside, host):
            world.serve(place, proto, 7000)
    for i in (0, 1):
        ip(n3, f"route add {EXTERNAL_IP[i]} via {NODE[i]}")


class Service:
    """A service of members (address, port), reached from outside, while the context lasts."""

    def __init__(self, i, addr, port, *members, more=""):
        self.i, self.addr, self.port, self.more = i, addr, port, more
        words = "".join(f" member {m} port {p} nexthop 61" for m, p in members)
        vr(n1, f"nexthop replace id {40 + i} ecmp{words}")

    def __enter__(self):
        for proto in protos:
            vr(n1, f"vip add vrf 2 {self.addr} {proto} {self.port} nexthop {40 + self.i} {self.more}")
        return self

    def __exit__(self, *_exc):
        for proto in protos:
            vr(n1, f"vip del vrf 2 {self.addr} {proto} {self.port}")
        vr(n1, f"nexthop del id {40 + self.i}")


def asks(who, addr, port, want, what, client=None):
    """All protocols get the member's answer; `client` is whom it sees."""
    for proto in protos:
        world.seen.clear()
        tap.equal(world.ask(who, proto, addr, port, WAIT), want, f"{what}: {proto}")
        if client and proto != "sctp":
            tap.equal([c for _, c in world.seen], [client], f"{what}: {proto}: who is seen")


def node_port():
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        with Service(i, ANY[i], 30080, (pods["a"].addr(i), 7000)):
            asks(outside, NODE[i], 30080, "a", f"node port, a pod of the node {v}", outside.addr(i))
            asks(host, NODE[i], 30080, "a", f"node port from the node itself {v}")
        with Service(i, ANY[i], 30080, (pods["b"].addr(i), 7000)):
            asks(outside, NODE[i], 30080, "b", f"node port, a pod of another node {v}", NODE[i])
            asks(host, NODE[i], 30080, "b", f"the same from the node itself {v}", NODE[i])
        with Service(i, ANY[i], 30080, (NODE[i], 7000)):
            asks(outside, NODE[i], 30080, "host", f"node port, a process of the node {v}", outside.addr(i))
        with Service(i, ANY[i], 30080):
            tap.equal(world.ask(outside, "tcp", NODE[i], 30080, WAIT), "refused", f"node port without a member {v}")
        tap.equal(world.ask(outside, "tcp", NODE[i], 30080, WAIT), "refused", f"no node port any more {v}")


def external_ip():
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        with Service(i, EXTERNAL_IP[i], 80, (pods["a"].addr(i), 7000)):
            asks(outside, EXTERNAL_IP[i], 80, "a", f"external address {v}", outside.addr(i))
            asks(host, EXTERNAL_IP[i], 80, "a", f"external address from the node {v}")
            asks(outside, NODE[i], 7000, "host", f"the node's own service is not touched {v}", outside.addr(i))


def policy():
    """The groups of a pod judge who is outside by the address."""
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        with Service(i, ANY[i], 30080, (pods["a"].addr(i), 7000)):
            vr(n1, f"sg add id 10 label test/outside enforce ingress rule ingress any from {outside.addr(i)}/{BITS[i]}")
            vr(n1, pods["a"].cmd + " sg 10")
            tap.equal(world.ask(outside, "tcp", NODE[i], 30080, WAIT), "a", f"a rule for the client's address {v}")
            vr(n1, "sg replace id 10 label test/outside enforce ingress")
            before = drops(n1, "sg-ingress")
            world.run([Probe(outside, "tcp", NODE[i], 30080)], until=lambda: drops(n1, "sg-ingress") > before)
            tap.check(drops(n1, "sg-ingress") > before, f"and without it {v}")
            vr(n1, pods["a"].cmd)
            vr(n1, "sg del id 10")


def refused_source(who, addr, port, what):
    before = drops(n1, "vip-source")
    world.run([Probe(who, "tcp", addr, port)], until=lambda: drops(n1, "vip-source") > before)
    tap.check(drops(n1, "vip-source") > before, what)


def source_ranges():
    """loadbalancer.go: only allow access from service loadbalancer source ranges. By a group of the vip."""
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        bits, other = BITS[i], ("203.0.113.0/24", "2001:db8:200::/64")[i]
        served = f"sg replace id 20 label test/lb@sources enforce ingress rule ingress any from {outside.addr(i)}/{bits}"
        vr(n1, served)
        with Service(i, EXTERNAL_IP[i], 80, (pods["a"].addr(i), 7000), more="sg 20 label test/lb"):
            vips = [s for s in vr(n1, "vip show vrf 2") if s.get("sg") == 20]
            tap.equal(len(vips), len(protos), f"vips show their group {v}")
            asks(outside, EXTERNAL_IP[i], 80, "a", f"a client in the ranges {v}", outside.addr(i))
            refused_source(host, EXTERNAL_IP[i], 80, f"the node itself is not in them {v}")
            with n3:
                client = socket.socket((socket.AF_INET, socket.AF_INET6)[i], socket.SOCK_DGRAM)
            client.settimeout(0)
            client.connect((EXTERNAL_IP[i], 80))
            answers = lambda c=client: wait_answer(c)
            client.send(b"who")
            tap.equal(answers(), b"a", f"a flow under way {v}")
            vr(n1, f"sg replace id 20 label test/lb@sources enforce ingress rule ingress any from {other}")
            before = drops(n1, "vip-source")
            client.send(b"who")
            wait_for(lambda b=before: drops(n1, "vip-source") > b, "vip-source", WAIT)
            tap.check(True, f"ends where the ranges change {v}")
            refused_source(outside, EXTERNAL_IP[i], 80, f"and so do new ones {v}")
            text = n1.run([f"{BUILD}/vrctl", "trace", "vif", "60", "src", outside.addr(i), "dst", EXTERNAL_IP[i],
                           "proto", "tcp", "sport", "1234", "dport", "80"], check=False).stdout
            tap.check("does not serve the source" in text and "vip-source" in text, f"vrctl trace says so {v}", text)
            vr(n1, served)
            client.send(b"who")
            tap.equal(answers(), b"a", f"it goes on when it is served again {v}")
            client.close()
            try:
                vr(n1, "sg del id 20")
                tap.check(False, f"a group in use is not deleted {v}")
            except VrctlError as err:
                tap.check("used by" in str(err), f"a group in use is not deleted {v}", str(err))
            vr(n1, f"vip replace vrf 2 {EXTERNAL_IP[i]} tcp 80 nexthop {40 + i} label test/lb")
            tap.equal(world.ask(host, "tcp", EXTERNAL_IP[i], 80, WAIT), "a", f"without the group all are served {v}")
        vr(n1, "sg del id 20")
        try:
            vr(n1, f"nexthop replace id {40 + i} ecmp")
            vr(n1, f"vip add vrf 2 {EXTERNAL_IP[i]} tcp 80 nexthop {40 + i} sg 21")
            tap.check(False, f"a group that is not there is refused {v}")
        except VrctlError as err:
            tap.check("Security group 21 does not exist" in str(err), f"a group that is not there is refused {v}", str(err))
        vr(n1, f"nexthop del id {40 + i}")


def wait_answer(sock):
    """The next datagram that comes while the servers work."""
    got = []

    def ready():
        world.step()
        try:
            got.append(sock.recv(100))
        except BlockingIOError:
            pass
        return got
    wait_for(ready, "an answer", WAIT)
    return got[0]


def snat():
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        asks(pods["a"], outside.addr(i), 7000, "outside", f"a pod goes outside {v}", NODE[i])
        res = pods["a"].ping(outside.addr(i))
        tap.check(res.returncode == 0, f"and its ping {v}", res.stdout)
        tap.equal(world.ask(pods["a"], "udp", outside.addr(i), 7999, WAIT), "refused",
                  f"an ICMP error from there comes back {v}")
        flows = [f for f in vr(n1, f"flow show src {pods['a'].addr(i)} dst {outside.addr(i)}")]
        tap.check(flows and all(f["reply"]["dport"] in PORTS for f in flows if not f["proto"].startswith("icmp")),
                  f"ports of the range {v}", flows)
    before = drops(n1, "icmp-no-flow")
    tap.check(n3.run(["ping", "-c", "1", "-W", str(WAIT), NODE[0]], check=False).returncode == 0,
              "the node itself answers as before")
    tap.equal(drops(n1, "icmp-no-flow"), before, "without a drop")


def solicitation():
    """The node's stack asks for routers on its link into the VRF, as on any other."""
    with n1:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        number = socket.if_nametoindex("vrouter0")
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    before, sent = sum(d["packets"] for d in vr(n1, "drops show")), tx_packets("vrouter0")
    sock.sendto(bytes([133, 0, 0, 0, 0, 0, 0, 0]), ("ff02::2", 0))
    wait_for(lambda: tx_packets("vrouter0") > sent, "the solicitation leaves", WAIT)
    tap.equal(sum(d["packets"] for d in vr(n1, "drops show")), before, "a router solicitation of the node is no drop")
    sock.close()


def tx_packets(dev):
    return json.loads(ip(n1, f"-j -s link show {dev}").stdout)[0]["stats64"]["tx"]["packets"]


def exhaustion():
    for family, i in FAMILIES:
        vr(n1, f"nexthop replace id 62 snat vif 60 snat-addr {NODE[i]} port-min 61000 port-max 61003")
        vr(n1, f"flow flush src {pods['a'].addr(i)}")
        for _ in range(4):
            tap.equal(world.ask(pods["a"], "udp", outside.addr(i), 7000, WAIT), "outside",
                      f"one of four ports (IPv{family})")
        before = drops(n1, "snat-exhausted")
        world.run([Probe(pods["a"], "udp", outside.addr(i), 7000) for _ in range(20)],
                  until=lambda: drops(n1, "snat-exhausted") >= before + 20)
        tap.equal(drops(n1, "snat-exhausted") - before, 20, f"the fifth and all others are dropped, and counted (IPv{family})")
        tap.equal(world.ask(pods["a"], "udp", outside.addr(i), 7999, WAIT), "refused",
                  f"towards another port they are used again (IPv{family})")
    log = run(["dmesg"]).stdout
    told = log.count("next hop 62 is exhausted")
    tap.check(1 <= told <= 4, "which the log says, and not for each of 40 packets", told)
    vr(n1, f"nexthop replace id 62 snat vif 60 snat-addr {NODE[0]} snat-addr {NODE[1]}")
    for words, says in (("snat vif 60", "address to translate to"),
                        (f"snat vif 70 snat-addr {NODE[0]}", "is not of type external"),
                        (f"snat vif 60 snat-addr {NODE[0]} port-min 2000 port-max 1999", "are none")):
        try:
            vr(n1, f"nexthop add id 99 {words}")
            tap.check(False, f"refused: {words}")
        except VrctlError as err:
            tap.check(says in str(err), f"refused: {words}", str(err))


def change():
    """A flow keeps its port through changes that do not concern it."""
    with n3:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.settimeout(WAIT)
    server.bind((outside.addr(0), 7300))
    with pods["a"].ns:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(WAIT)
    client.connect((outside.addr(0), 7300))
    seen = set()
    for turn in range(4):
        client.send(b"x")
        seen.add(server.recvfrom(10)[1])
        vr(n1, f"route replace vrf 1 10.99.{turn}.0/24 nexthop 80")
        vr(n1, pods["a"].cmd)
    tap.check(len(seen) == 1, "changes leave a flow's port as it is", seen)
    for turn in range(4):
        vr(n1, f"route del vrf 1 10.99.{turn}.0/24")
    server.close()
    client.close()


def mtu():
    for family, i in FAMILIES:
        ip(n1, f"route add {outside.addr(i)}/{BITS[i]} dev eth0 mtu 1300")
        res = pods["a"].ping(outside.addr(i), "-M", "do", "-s", "1300")
        tap.check(res.returncode and "1300" in res.stdout + res.stderr,
                  f"the way outside takes less, and the pod is told (IPv{family})", res.stdout + res.stderr)
        ip(n1, f"route del {outside.addr(i)}/{BITS[i]} dev eth0")
        # what a process of the node sends has no device yet when it is told
        with Service(i, ANY[i], 30080, (pods["b"].addr(i), 7000)):
            with n1:
                sock = socket.socket((socket.AF_INET, socket.AF_INET6)[i], socket.SOCK_DGRAM)
            sock.connect((NODE[i], 30080))
            before = drops(n1, "mtu")
            sock.send(b"x" * 2000)
            wait_for(lambda b=before: drops(n1, "mtu") > b, "mtu", WAIT)
            tap.check(True, f"a process of the node sends too much by a node port: it is told (IPv{family})")
            sock.close()


# --- fragments ---------------------------------------------------------------------

class Echo:
    """A UDP server at a place that sends back what it gets, and a client's socket elsewhere."""

    def __init__(self, i, server, port, client):
        self.i, kind = i, (socket.AF_INET, socket.AF_INET6)[i]
        with server.ns:
            self.server = socket.socket(kind, socket.SOCK_DGRAM)
        with client.ns:
            self.client = socket.socket(kind, socket.SOCK_DGRAM)
        self.server.bind((server.addr(i), port))
        self.client.bind((client.addr(i), 0))
        for sock in (self.server, self.client):
            sock.settimeout(WAIT)

    def answer(self, data):
        """The server gets the data, the client what is sent back; whom the client hears."""
        try:
            got, who = self.server.recvfrom(70000)
            self.server.sendto(data[::-1], who)
            back, server = self.client.recvfrom(70000)
        except TimeoutError:
            return None
        return server[:2] if got == data and back == data[::-1] else None

    def there_and_back(self, addr, port, size):
        data = os.urandom(size)
        self.client.sendto(data, (addr, port))
        return self.answer(data) == (addr, port)

    def reversed(self, addr, port, size):
        """The request in fragments, the first one last."""
        data, src = os.urandom(size), self.client.getsockname()
        datagram = fr.udp(src[0], addr, src[1], port, data)
        send_raw(self.i, fr.fragments(src[0], addr, 17, datagram, size=1352, ident=size)[::-1])
        return self.answer(data) == (addr, port)

    def close(self):
        self.server.close()
        self.client.close()


def send_raw(i, packets):
    """From outside to the node, as they are."""
    with n3:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    mac = fr.mac(json.loads(ip(n1, "-j link show eth0").stdout)[0]["address"])
    for packet in packets:
        sock.sendto(packet, ("eth0", (fr.ETH_IP, fr.ETH_IPV6)[i], 0, 0, mac))
    sock.close()


def fragments():
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        ip(n3, f"route add {NODE[i]}/{BITS[i]} dev eth0 mtu 1400")
        for size in (4000, 8000):
            echo = Echo(i, outside, 7400, pods["a"])
            tap.check(echo.there_and_back(outside.addr(i), 7400, size),
                      f"{size} octets from a pod outside, and back {v}")
            echo.close()
            for where in (pods["a"], pods["b"]):
                with Service(i, ANY[i], 30080, (where.addr(i), 7400)):
                    echo = Echo(i, where, 7400, outside)
                    tap.check(echo.there_and_back(NODE[i], 30080, size),
                              f"{size} octets by a node port to {where.name}, and back {v}")
                    tap.check(echo.reversed(NODE[i], 30080, size), f"the same, the first fragment last {v}")
                    echo.close()
            echo = Echo(i, host, 7400, outside)
            tap.check(echo.there_and_back(NODE[i], 7400, size), f"{size} octets to the node itself {v}")
            tap.check(echo.reversed(NODE[i], 7400, size), f"the same, the first fragment last {v}")
            echo.close()
        res = n3.run(["ping", "-n", "-c", "1", "-W", str(WAIT), "-s", "4000", NODE[i]], check=False)
        tap.check(res.returncode == 0, f"the node answers a ping of 4000 octets {v}", res.stdout)
        ip(n3, f"route del {NODE[i]}/{BITS[i]} dev eth0")


def fragments_too_big():
    """Fragments keep the size that their sender gave them: one that does not fit is told."""
    for family, i in FAMILIES:
        with Service(i, ANY[i], 30080, (pods["b"].addr(i), 7400)):
            echo = Echo(i, pods["b"], 7400, outside)
            before = drops(n1, "mtu")
            echo.client.sendto(b"x" * 4000, (NODE[i], 30080))
            wait_for(lambda: "mtu 1450" in ip(n3, f"route get {NODE[i]}").stdout, "the sender learns", WAIT)
            tap.check(drops(n1, "mtu") > before,
                      f"fragments too large for the tunnel: their sender is told (IPv{family})")
            tap.check(echo.there_and_back(NODE[i], 30080, 4000), "and sends smaller ones")
            echo.close()
        ip(n3, f"-{family} route flush cache")


def gateway():
    """A network that is routed, not translated."""
    vr(n1, "nexthop add id 63 local vif 60")
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        prefix = ("10.1.0.0/24", "fd01::/64")[i]
        vr(n1, f"route add vrf 2 {prefix} nexthop 61")
        vr(n1, f"route add vrf 1 {outside.addr(i)}/{BITS[i]} nexthop 63")
        ip(n3, f"route add {prefix} via {NODE[i]}")
        asks(outside, pods["a"].addr(i), 7000, "a", f"from outside to a pod {v}", outside.addr(i))
        asks(pods["a"], outside.addr(i), 7000, "outside", f"from a pod {v}", pods["a"].addr(i))
        vr(n1, f"route del vrf 2 {prefix}")
        vr(n1, f"route del vrf 1 {outside.addr(i)}/{BITS[i]}")
        world.run([p := Probe(outside, "udp", pods["a"].addr(i), 7000)], seconds=0.3)
        tap.equal(p.result in (None, "refused", "unreachable"), True, f"not without the route {v}")
        ip(n3, f"route del {prefix} via {NODE[i]}")
    vr(n1, "nexthop del id 63")


def limits():
    """What stands for many is not held to the bounds of one pod."""
    vr(n1, "limits set flows-per-vif 1 half-open-per-vif 1")
    with Service(0, ANY[0], 30080, (pods["a"].addr(0), 7000)):
        for _ in range(3):
            tap.equal(world.ask(outside, "udp", NODE[0], 30080, WAIT), "a", "a flow from outside beyond a pod's bound")
    vr(n1, "limits set flows-per-vif 100000 half-open-per-vif 8192")
    vr(n1, "flow flush")


def gone():
    """Without the vif the node is as without the module."""
    for words in ("route del vrf 1 0.0.0.0/0", "route del vrf 1 ::/0", "nexthop del id 62", "vif del id 60"):
        vr(n1, words)
    tap.equal(world.ask(outside, "tcp", NODE[0], 7000, WAIT), "host", "the node's own service, still")
    wait_for(lambda: all(v["id"] != 60 for v in vr(n1, "vif show")), "the vif goes", WAIT)


set_up()
CASES = (node_port, external_ip, policy, source_ranges, snat, solicitation, exhaustion, change, mtu, fragments, fragments_too_big,
         gateway, limits, gone)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
