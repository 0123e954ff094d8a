#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The isolation modes, each with its reachability matrix: pods of two namespaces and of kube-system on two
nodes (three with an API server, tests/cluster/isolation.py) ask each other by address and by service, while isolation
goes on and off under them. Whatever it says, DNS, the node and who is outside are reached, and probes work.
A namespace in a network of its own comes to them at the end.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.cluster import ON_API, eventually, fabric_of
from vrtest.node import SLOW, pod_manifest, policy, service
from vrtest.probe import Probe, Stream, World
from vrtest.tap import Tap
from vrtest.wired import Place

tap = Tap("isolation")
world = World()
fabric = fabric_of(3 if ON_API else 2)
nodes = fabric.nodes
WAIT = 10 * SLOW
NAMES = ["shop/a", "shop/b", "bank/a", "bank/b", "kube-system/dns"]
ON = {"shop/a": 1, "shop/b": 2, "bank/a": 1, "bank/b": 2, "kube-system/dns": 3 if ON_API else 2}
outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
pods, hosts, vips = {}, {}, {}


def namespaces(**notes):
    nodes[1].apply("10-namespaces", [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": n, "labels": {"ns": n}, "annotations": notes.get(n, {})}}
        for n in ("shop", "bank", "kube-system")])


def apply_pods(**labels):
    out = []
    for name in NAMES:
        ns, pod = name.split("/")
        out.append(pod_manifest(ns, pod, {"pod": pod, **labels.get(f"{ns}_{pod}", {})}, [("http", 8080, "TCP"), ("dns", 8080, "UDP")],
                                node=f"node{ON[name]}"))
    nodes[1].apply("20-pods", out)


def set_up():
    namespaces()
    apply_pods()
    nodes[1].apply("30-services", [
        service(ns, pod, [(80, 8080, "TCP"), (53, 8080, "UDP")], {"pod": pod})
        for ns, pod in (n.split("/") for n in NAMES)])
    for name in NAMES:
        pods[name] = nodes[ON[name]].pod(*name.split("/"))
        world.serve(pods[name], "tcp", 8080)
        world.serve(pods[name], "udp", 8080)
    fabric.sync()
    for n, node in nodes.items():
        hosts[n] = Place(node.ns, f"host{n}", node.addrs)
        world.serve(hosts[n], "tcp", 9100)
    world.serve(outside, "tcp", 9200)
    for name in NAMES:
        vips[name] = [nodes[1].vip(*name.split("/"), family) for family in (4, 6)]


def drops():
    return sum(node.drops("sg-egress", "sg-ingress") for node in nodes.values())


def wrong_pairs(want, addr):
    before, closed = drops(), sum(not w for w in want.values())
    probes = {pair: Probe(pods[pair[0]], "tcp", *addr(pair[1])) for pair in want}
    world.run(list(probes.values()), seconds=3 if ON_API else WAIT, until=lambda: drops() - before >= closed and
              all(probes[pair].result for pair, w in want.items() if w))
    return [f"{s} -> {d}: {probes[s, d].result}" for (s, d), w in want.items()
            if probes[s, d].result != (d if w else None)]


def matrix(what, *rows):
    """A row for each sender, a column for each receiver: x reached, . not, - itself."""
    reach(what, {(s, d): rows[i][j] == "x" for i, s in enumerate(NAMES) for j, d in enumerate(NAMES) if i != j})
    always(what)


def reach(what, want):
    for how, addr in (("IPv4", lambda d: (pods[d].v4, 8080)), ("IPv6", lambda d: (pods[d].v6, 8080)),
                      ("service, IPv4", lambda d: (vips[d][0], 80)), ("service, IPv6", lambda d: (vips[d][1], 80))):
        wrong = eventually(lambda a=addr: wrong_pairs(want, a))
        tap.check(not wrong, f"{what}: by {how}", "\n".join(wrong))


def always(what):
    """What no isolation takes away."""
    got = world.run([Probe(pods[name], "udp", vips["kube-system/dns"][0], 53) for name in NAMES[:4]], seconds=WAIT)
    tap.equal(got, ["kube-system/dns"] * 4, f"{what}: the cluster's DNS is reached")
    got = world.run([Probe(hosts[ON[name]], "tcp", pods[name].v4, 8080) for name in NAMES], seconds=WAIT)
    tap.equal(got, NAMES, f"{what}: kubelet's probes get to all pods")
    got = world.run([Probe(pods[name], "tcp", hosts[n].addr(0), 9100) for name in NAMES for n in (1, 2)], seconds=WAIT)
    tap.equal(got, ["host1", "host2"] * len(NAMES), f"{what}: the nodes (and so the API server) are reached")
    got = world.run([Probe(pods[name], "tcp", outside.addr(0), 9200) for name in NAMES], seconds=WAIT)
    tap.equal(got, ["outside"] * len(NAMES), f"{what}: so is the outside")


ISOLATED = {"opencontrail.org/isolation": "true"}
OPEN = ("-xxxx", "x-xxx", "xx-xx", "xxx-x", "xxxx-")


def cluster():
    matrix("cluster mode", *OPEN)


def namespace():
    flow = Stream(pods["shop/a"], pods["bank/a"], WAIT)
    tap.check(flow.talks(WAIT), "a connection across namespaces")
    namespaces(bank=ISOLATED)
    fabric.sync()
    matrix("bank isolated", "-x..x", "x-..x", "..-xx", "..x-x", "xx..-")
    tap.check(not flow.talks(SLOW), "the connection is cut")
    flow.close()
    nodes[1].apply("40-policies", [
        policy("bank", "from-shop", {"matchLabels": {"pod": "a"}},
               ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"ns": "shop"}}}]}])])
    fabric.sync()
    matrix("bank isolated, bank/a open to shop", "-xx.x", "x-x.x", "..-xx", "...-x", "xx..-")
    namespaces(bank=ISOLATED, shop=ISOLATED)
    fabric.sync()
    matrix("both isolated: one side's opening is not enough", "-x..x", "x-..x", "..-xx", "...-x", "....-")
    nodes[1].apply("40-policies", [])
    namespaces()
    fabric.sync()
    matrix("and back", *OPEN)


def app():
    web = {"opencontrail.org/name": "web"}
    apply_pods(shop_a=web, bank_a=web)
    fabric.sync()
    matrix("apps", "-...x", ".-.xx", "..-.x", ".x.-x", ".x.x-")
    apply_pods(shop_a=web, shop_b=web)
    fabric.sync()
    matrix("an app of two pods", "-x..x", "x-..x", "..-xx", "..x-x", "..xx-")
    apply_pods()
    fabric.sync()
    matrix("no apps any more", *OPEN)


VAULT = ("vault/a", "vault/b")


def network(name, *subnets):
    return {"apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork", "metadata": {"name": name, "namespace": "vault"},
            "spec": {"subnets": [{"cidr": s} for s in subnets]}}


def vault():
    """Two pods of a namespace in a network of its own, and services of theirs."""
    nodes[1].apply("50-vault", [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vault", "labels": {"ns": "vault"}, "annotations": {
            "opencontrail.org/network": "safe"}}},
        network("safe", "10.210.0.0/24", "fd00:210::/64")])
    fabric.sync()
    nodes[1].apply("51-vault", [pod_manifest("vault", name[-1], {"pod": name[-1]}, [("http", 8080, "TCP"), ("dns", 8080, "UDP")],
                                             node=f"node{n}") for n, name in enumerate(VAULT, 1)] +
                   [service("vault", name[-1], [(80, 8080, "TCP")], {"pod": name[-1]}) for name in VAULT])
    for n, name in enumerate(VAULT, 1):
        pods[name], ON[name] = nodes[n].pod(*name.split("/")), n
        world.serve(pods[name], "tcp", 8080)
    fabric.sync()
    for name in VAULT:
        vips[name] = [nodes[1].vip(*name.split("/"), family) for family in (4, 6)]


def border(what, into=(), out=()):
    """Who reaches whom across it, beside the pods of the network each other, and the cluster's DNS pod."""
    want = {(s, d): True for s in VAULT for d in VAULT if s != d}
    want |= {(s, d): d in out or d.startswith("kube-system/") for s in VAULT for d in NAMES}
    want |= {(s, d): s in into and d == "vault/a" for s in NAMES for d in VAULT}
    reach(what, want)
    got = world.run([Probe(pods[name], "udp", vips["kube-system/dns"][i], 53) for name in VAULT for i in (0, 1)], seconds=WAIT)
    tap.equal(got, ["kube-system/dns"] * 4, f"{what}: the cluster's DNS is reached")
    got = world.run([Probe(hosts[ON[name]], "tcp", pods[name].addr(i), 8080) for name in VAULT for i in (0, 1)], seconds=WAIT)
    tap.equal(got, ["vault/a", "vault/a", "vault/b", "vault/b"], f"{what}: kubelet's probes get to its pods")


def api(n, family):
    """The service whose member is a node itself, as the API server's is."""
    name = f"api{n}-{4 + 2 * family}"
    return [service("kube-system", name, [(443, 9100, "TCP")], None, ipFamilies=[f"IPv{4 + 2 * family}"], ipFamilyPolicy="SingleStack"),
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": f"IPv{4 + 2 * family}",
             "metadata": {"name": name, "namespace": "kube-system", "labels": {"kubernetes.io/service-name": name}},
             "endpoints": [{"addresses": [hosts[n].addr(family)], "conditions": {"ready": True}}],
             "ports": [{"name": "tcp-443", "port": 9100, "protocol": "TCP"}]}]


def nodes_by_service():
    """Members on the client's node and on another, which answer to an address that they may have no route to."""
    nodes[1].apply("52-api", [obj for n in (1, 2) for family in (0, 1) for obj in api(n, family)])
    fabric.sync()
    for family in (0, 1):
        addrs = [nodes[1].vip("kube-system", f"api{n}-{4 + 2 * family}", 4 + 2 * family) for n in (1, 2)]
        got = world.run([Probe(pods[name], "tcp", addr, 443) for name in VAULT for addr in addrs], seconds=WAIT)
        tap.equal(got, ["host1", "host2"] * 2, f"nodes are reached by a service, as the API server is, IPv{4 + 2 * family}")


def custom():
    vault()
    border("a network of its own")
    nodes_by_service()
    got = world.run([Probe(pods[name], "tcp", vips["shop/a"][i], 81) for name in VAULT for i in (0, 1)], seconds=WAIT)
    tap.equal(got, ["refused"] * 4, "a service's port that it does not have is refused at once")
    got = world.run([Probe(pods[name], "tcp", vips[name][i], 80) for name in VAULT for i in (0, 1)], seconds=WAIT)
    tap.equal(got, ["vault/a", "vault/a", "vault/b", "vault/b"], "its pods reach themselves by their services")
    nodes[1].apply("40-policies", [
        policy("vault", "from-shop", {"matchLabels": {"pod": "a"}},
               ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"ns": "shop"}}}, {"podSelector": {}}]}])])
    fabric.sync()
    border("vault/a open to shop", into=("shop/a", "shop/b"))
    nodes[1].apply("40-policies", [
        policy("vault", "to-bank", egress=[{"to": [{"namespaceSelector": {"matchLabels": {"ns": ns}}}]} for ns in ("bank", "vault", "kube-system")],
               types=["Egress"])])
    fabric.sync()
    border("vault open towards bank", out=("bank/a", "bank/b"))
    nodes[1].apply("40-policies", [])
    fabric.sync()


set_up()
tap.run([(f.__name__, f) for f in (cluster, namespace, app, custom)], only=os.environ.get("CASE"))
if tap.failed:
    tap.say(fabric.logs())
tap.done()
