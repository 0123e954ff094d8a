#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Pods in several virtual networks, and service chains: what goes between two networks goes
through a pod that is in both, here a firewall that follows connections, so that it sees when
one direction of them goes another way.
"""

import collections
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric
from vrtest.node import SLOW, namespace_manifest, pod_manifest, policy, service
from vrtest.probe import Probe, World, family_of
from vrtest.tap import Tap, wait_for

tap = Tap("chain")
world = World()
fabric = Fabric(3, args=("--encap", "vxlan"))
nodes = fabric.nodes
WAIT = 10 * SLOW
FAMILIES = (4, 6)
# name -> node, network of eth0, of further interfaces
PODS = {
    "a": (1, "left", ()), "a2": (3, "left", ()), "b": (3, "right", ()), "b2": (2, "right", ()),
    "fw-1": (2, None, ("left", "right")), "fw-2": (3, None, ("left", "right@out")),
    "both": (1, None, ("left",)),
}
FIREWALL = """
table inet fw {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related counter accept
        ct state new counter accept
    }
}
"""
pods = {}


def network(name, vni=None):
    at = {"left": 64, "right": 65, "other": 66}[name]
    spec = {"subnets": [{"cidr": f"10.{at}.0.0/16"}, {"cidr": f"fd00:{at}::/64"}]}
    return {"apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork",
            "metadata": {"name": name, "namespace": "default"}, "spec": {**spec, **({"vni": vni} if vni else {})}}


def chain():
    return {"apiVersion": "opencontrail.org/v1", "kind": "ServiceChain", "metadata": {"name": "fw", "namespace": "default"},
            "spec": {"left": "left", "right": "default/right", "podSelector": {"matchLabels": {"app": "fw"}}}}


def pod_object(name, **status):
    node, first, more = PODS[name]
    obj = pod_manifest("default", name, {"app": name.split("-", maxsplit=1)[0]}, node=f"node{node}", **status)
    notes = {}
    if first:
        notes["opencontrail.org/network"] = first
    if more:
        notes["k8s.v1.cni.cncf.io/networks"] = ", ".join(more)
    obj["metadata"]["annotations"] = notes
    return obj


def apply_pods(without=(), **status):
    nodes[1].apply("20-pods", [pod_object(n, **status.get(n.replace("-", "_"), {})) for n in PODS if n not in without])


def firewall(pod):
    """A service instance: a router that lets through what it saw the beginning of."""
    for key in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
        pod.ns.run(["sysctl", "-qw", f"net.{key}=1"])
    pod.ns.run(["nft", "-f", "-"], stdin=FIREWALL)


def set_up():
    nodes[1].apply("10-networks", [namespace_manifest("default"), network("left"), network("right", 777)])
    apply_pods(without=("fw-2",))
    nodes[1].apply("30-chain", [chain()])
    for name, (n, _, _) in PODS.items():
        if name != "fw-2":
            pods[name] = nodes[n].pod("default", name)
    firewall(pods["fw-1"])
    fabric.sync()
    for name in ("a", "b", "b2", "both"):
        for proto, port in (("tcp", 8080), ("udp", 8053), ("sctp", 8090)):
            world.serve(pods[name], proto, port)


def ask(src, proto, addr, port):
    return world.ask(src, proto, addr, port, seconds=WAIT)


def addr_in(pod, net, family):
    at = {"left": 64, "right": 65}[net]
    start = f"10.{at}." if family == 4 else f"fd00:{at}:"
    return next(a for a in pod.addresses if a.startswith(start))


def rx_packets(node, label):
    return sum(v["counters"]["rx-packets"] for v in nodes[node].vrctl("-s", "vif", "show") if v.get("label") == label)


def labels(n, what):
    return {o["label"] for o in nodes[n].vrctl(what, "show") if o.get("label", "").startswith("default/")}


def only_what_is_here():
    """A node has the networks that its pods are in, and their groups."""
    cluster, left, right = (f"default/{name}" for name in ("cluster-network", "left", "right"))
    for n, want in ((1, {cluster, left}), (2, {cluster, left, right}), (3, {left, right, cluster})):
        tap.equal(labels(n, "vrf"), want, f"node{n}: the networks that its pods are in")
    nodes[1].apply("40-policy", [policy("default", "here", {"matchLabels": {"app": "b2"}}, egress=[{}])])
    fabric.sync()
    for n, want in ((1, []), (2, [1]), (3, [])):
        tap.equal([g["rules"] for g in nodes[n].vrctl("sg", "show") if g.get("label") == "default/policy-here"], want,
                  f"node{n}: the group of a policy for {'its' if want else 'none of its'} pods{' with its rules' if want else ': nothing'}")
    nodes[1].delete("40-policy")
    fabric.sync()


def comes_here():
    """The first pod of a network on a node: what is there of the network comes with it."""
    PODS["late"] = (1, "right", ())
    nodes[1].apply("50-late", [pod_object("late")])
    late = nodes[1].pod("default", "late")
    fabric.sync()
    tap.check("default/right" in labels(1, "vrf"), "the network is there", labels(1, "vrf"))
    for family in FAMILIES:
        tap.equal(ask(late, "tcp", addr_in(pods["b"], "right", family), 8080), "default/b", f"and its pods of other nodes (IPv{family})")
    world.serve(late, "tcp", 8080)
    tap.equal(ask(pods["a"], "tcp", late.v4, 8080), "default/late", "and it of the chained network")


def interfaces():
    """A pod's interfaces: the first has the default route, the others the way to their networks."""
    links = pods["fw-1"].ns.run(["ip", "-br", "link"]).stdout
    tap.check("eth0" in links and "net1" in links and "net2" in links, "a pod has all its interfaces", links)
    routes = pods["fw-1"].ns.run(["ip", "route"]).stdout
    tap.check("10.64.0.0/16 via 10.64.0.1 dev net1" in routes and "10.65.0.0/16 via 10.65.0.1 dev net2" in routes
              and "default via 10.32.0.1 dev eth0" in routes, "and their routes", routes)
    tap.equal(pods["both"].cni("CHECK", prevResult=pods["both"].result).returncode, 0, "CHECK finds them as they were")
    v6 = addr_in(pods["both"], "left", 6)
    pods["both"].ns.run(["ip", "addr", "del", f"{v6}/128", "dev", "net1"])
    res = pods["both"].cni("CHECK", prevResult=pods["both"].result)
    tap.check(res.returncode and f"net1 lacks the address {v6}" in res.stdout, "and sees what is not", res.stdout)
    pods["both"].ns.run(["ip", "addr", "add", f"{v6}/128", "dev", "net1", "nodad"])
    for family in FAMILIES:
        tap.equal(ask(pods["both"], "tcp", addr_in(pods["a"], "left", family), 8080), "default/a",
                  f"by its second interface to a pod of that network (IPv{family})")
    tap.equal(ask(pods["a"], "tcp", addr_in(pods["both"], "left", 4), 8080), "default/both", "and back")
    nodes[1].apply("40-svc", [service("default", "both", [(80, 8080, "TCP")], {"app": "both"})])
    nodes[1].sync()
    tap.equal(ask(pods["fw-1"], "tcp", nodes[1].vip("default", "both"), 80), "default/both",
              "services are by its first interface")


def isolated():
    """Pods of one network do not reach another: neither the cluster's nor each other's."""
    nodes[1].delete("30-chain")
    fabric.sync()
    for family in FAMILIES:
        dst = addr_in(pods["b"], "right", family)
        before = nodes[1].drops("no-route")
        world.run([Probe(pods["a"], "udp", dst, 8053)], until=lambda b=before: nodes[1].drops("no-route") > b, seconds=WAIT)
        tap.check(nodes[1].drops("no-route") > before, f"without a chain there is no way (IPv{family})")
    nodes[1].apply("30-chain", [chain()])
    fabric.sync()


def chained():
    """Through the instance, both ways, on another node than client and server."""
    for family in FAMILIES:
        for src, net, dst, other in (("a", "left", "b", "right"), ("b", "right", "a", "left"), ("a2", "left", "b2", "right"),
                                     ("both", "left", "b", "right")):
            client, to = addr_in(pods[src], net, family), addr_in(pods[dst], other, family)
            sides = [rx_packets(2, f"default/fw-1.{i}") for i in ("net1", "net2")]
            world.seen.clear()
            for proto, port in (("tcp", 8080), ("udp", 8053), ("sctp", 8090)):
                tap.equal(ask(pods[src], proto, to, port), f"default/{dst}", f"{src} to {dst}: {proto} (IPv{family})")
            tap.equal({c for _, c in world.seen}, {client}, "which sees the client's address")
            now = [rx_packets(2, f"default/fw-1.{i}") for i in ("net1", "net2")]
            tap.check(all(n >= s + 6 for n, s in zip(now, sides)), "both directions pass the instance", (sides, now))
        res = pods["a"].ns.run(["ping", "-n", "-c", "1", "-s", "3000", "-W", str(WAIT), addr_in(pods["b"], "right", family)],
                               check=False)
        tap.check(res.returncode == 0, f"a ping in fragments (IPv{family})", res.stdout)


def hops():
    """traceroute sees each node's gateway, the instance, and the server."""
    for family in FAMILIES:
        hop = {}
        for ttl in range(1, 7):
            res = pods["a"].ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), "-t", str(ttl),
                                    addr_in(pods["b"], "right", family)], check=False)
            hop[ttl] = next((line for line in res.stdout.splitlines() if line.lower().startswith(("from", "64 bytes"))), "")
        left, right = ("10.64.0.1", "10.65.0.1") if family == 4 else ("fd00:64::1", "fd00:65::1")
        want = [left, left, addr_in(pods["fw-1"], "left", family), right, right, addr_in(pods["b"], "right", family)]
        tap.check(all(f" {w}" in h for w, h in zip(want, hop.values())), f"each hop answers (IPv{family})", (want, hop))


def judged_at_the_ends():
    """A policy of the receiver's judges who sends, not who passes it on."""
    nodes[1].apply("40-policy", [
        policy("default", "b", {"matchLabels": {"app": "b"}},
               ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}]),
        policy("default", "fw", {"matchLabels": {"app": "fw"}}, ingress=[], egress=[], types=["Ingress", "Egress"])])
    fabric.sync()
    for family in FAMILIES:
        to = addr_in(pods["b"], "right", family)
        tap.equal(ask(pods["a"], "tcp", to, 8080), "default/b", f"who may, may, through an instance that is isolated (IPv{family})")
        before = nodes[3].drops("sg-ingress")
        world.run([Probe(pods["a2"], "tcp", to, 8080)], until=lambda b=before: nodes[3].drops("sg-ingress") > b, seconds=WAIT)
        tap.check(nodes[3].drops("sg-ingress") > before, f"who may not, may not (IPv{family})")
    nodes[1].delete("40-policy")
    fabric.sync()


def spoofing():
    """An instance sends what is routed through it, and nothing else."""
    before = nodes[2].drops("spoofed-ip")
    own = addr_in(pods["b2"], "right", 4)
    for src, dst in (("10.66.0.5", own), ("10.65.0.99", own), (own, addr_in(pods["b"], "right", 4))):
        pods["fw-1"].ns.run(["ip", "addr", "add", f"{src}/32", "dev", "net2"])
        pods["fw-1"].ns.run(["ping", "-n", "-c", "1", "-W", "1", "-I", src, dst], check=False)
        pods["fw-1"].ns.run(["ip", "addr", "del", f"{src}/32", "dev", "net2"])
    tap.equal(nodes[2].drops("spoofed-ip") - before, 3,
              "addresses of no network, of no pod, and of another pod")


class Open:
    """A connection that is kept."""

    def __init__(self, src, addr, port):
        with src.ns:
            self.sock = socket.socket(family_of(addr), socket.SOCK_STREAM)
        self.sock.settimeout(WAIT)
        self.sock.connect((addr, port))

    def echo(self):
        """True, or what went wrong."""
        try:
            self.sock.sendall(b"x" * 10)
            left = 10
            while left:
                got = self.sock.recv(left)
                if not got:
                    return "closed"
                left -= len(got)
            return True
        except OSError as err:
            return err.strerror


def listen(pod, addr, port):
    return pod.ns.popen([sys.executable, "-c", f"""
import socket, threading
s = socket.create_server(("{addr}", {port}), family=socket.AF_INET6 if ":" in "{addr}" else socket.AF_INET, backlog=64)
def serve(c):
    while (d := c.recv(4096)):
        c.sendall(d)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""])


def by_instance(family):
    """Which instance each connection of a's passes, by the firewalls' own tables."""
    out = {}
    for name in ("fw-1", "fw-2"):
        if name in pods:
            text = pods[name].ns.run(["conntrack", "-L", "-f", f"ipv{family}", "-p", "tcp", "--dport", "9000"]).stdout
            for line in text.splitlines():
                words = [w.split("=")[1] for w in line.split() if w.startswith("sport=")]
                out[int(words[0])] = name
    return out


def scale_out():
    """A second instance takes its share of new connections, those that are stay; one that ends
    is withdrawn: its connections are reset, the others go on.
    """
    servers = [listen(pods["b"], addr_in(pods["b"], "right", f), 9000) for f in FAMILIES]
    conns = {f: [] for f in FAMILIES}
    for family in FAMILIES:
        dst = addr_in(pods["b"], "right", family)
        wait_for(lambda d=dst: pods["b"].ns.run(["ss", "-Hltn", f"sport = :9000 and src [{d}]"]).stdout.strip(), "listens", WAIT)
        conns[family] = [Open(pods["a"], dst, 9000) for _ in range(6)]
    apply_pods()
    pods["fw-2"] = nodes[3].pod("default", "fw-2")
    firewall(pods["fw-2"])
    fabric.sync()
    for family in FAMILIES:
        tap.equal([c.echo() for c in conns[family]], [True] * 6, f"connections stay where they are (IPv{family})")
        conns[family] += [Open(pods["a"], addr_in(pods["b"], "right", family), 9000) for _ in range(24)]
        tap.equal([c.echo() for c in conns[family]], [True] * 30, f"new ones work (IPv{family})")
        share = collections.Counter(by_instance(family).values())
        tap.check(share["fw-1"] >= 8 and share["fw-2"] >= 4, f"both instances have some (IPv{family})", share)
    where = {f: by_instance(f) for f in FAMILIES}
    apply_pods(without=("fw-1",))
    fabric.sync()
    for family in FAMILIES:
        ended = []
        for c in conns[family]:
            was, res = where[family][c.sock.getsockname()[1]], c.echo()
            if was == "fw-2":
                ended.append(res is True)
            else:
                ended.append(res == os.strerror(104))
        tap.check(all(ended), f"those of the instance that ended are reset, the others go on (IPv{family})", ended)
        got = {Open(pods["a"], addr_in(pods["b"], "right", family), 9000).echo() for _ in range(10)}
        tap.equal(got, {True}, f"new ones go by the other (IPv{family})")
    for server in servers:
        server.kill()
        server.wait()


def not_ready():
    """An instance that is not ready takes nothing; without any the sender is told at once."""
    apply_pods(without=("fw-1",), fw_2={"conditions": [{"type": "Ready", "status": "False"}]})
    fabric.sync()
    for family in FAMILIES:
        tap.equal(ask(pods["a"], "tcp", addr_in(pods["b"], "right", family), 8080), "refused", f"no instance: refused (IPv{family})")
    apply_pods(without=("fw-1",))
    fabric.sync()
    tap.equal(ask(pods["a"], "tcp", addr_in(pods["b"], "right", 4), 8080), "default/b", "ready again")


def daemon_restart():
    nodes[3].kill_daemon(signal.SIGKILL)
    tap.equal(ask(pods["a"], "tcp", addr_in(pods["b"], "right", 4), 8080), "default/b", "without its daemon a node goes on")
    nodes[3].start_daemon()
    fabric.sync()
    tap.equal(ask(pods["b"], "tcp", addr_in(pods["a"], "left", 6), 8080), "default/a", "and after it came back")


def trace():
    text = nodes[1].ns.run([f"{os.environ['VROUTER_BUILD']}/vrctl", "trace", "vif", "default/a", "src",
                            addr_in(pods["a"], "left", 4), "dst", addr_in(pods["b"], "right", 4), "proto", "tcp",
                            "dport", "8080"], check=False).stdout
    labels = [n["label"] for n in nodes[1].vrctl("chain", "show")]
    tap.equal(sorted(labels), ["default/fw@left", "default/fw@right"], "vrctl chain show has both sides")
    tap.check("default/fw@left" in text and "member node3" in text, "vrctl trace tells the chain and the way to an instance", text)


def pod_ends():
    """DEL takes all interfaces along."""
    res = pods["both"].detach()
    tap.equal(res.returncode, 0, "DEL of a pod with two interfaces", )
    left = [v["label"] for v in nodes[1].vrctl("vif", "show") if v.get("label", "").startswith("default/both")]
    tap.equal(left, [], "no interface of it is left")
    links = nodes[1].ns.run(["ip", "-br", "link"]).stdout
    tap.equal(sum(line.startswith("vr0") or line.startswith("vr") and "@if" in line for line in links.splitlines()), 1,
              "and one device is: the other pod's", )


set_up()
CASES = (only_what_is_here, interfaces, isolated, chained, hops, judged_at_the_ends, spoofing, scale_out, not_ready, trace, daemon_restart, pod_ends,
         comes_here)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
