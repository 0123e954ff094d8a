#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The 48 NetworkPolicy cases of Kubernetes' e2e suite (test/e2e/network/netpol), on one node; on three with an API server
(tests/cluster/policy.py).

Nine pods, a, b, c in x, y, z, each serving 80 and 81 in TCP, UDP and SCTP. As there,
each pod asks each other one through that one's own ClusterIP service, and what is seen is
compared with a truth table; a pod asking itself is not looked at. Odd cases run
over IPv4, even ones over IPv6.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.cluster import ON_API, Cluster, eventually
from vrtest.node import Node, SLOW, namespace_manifest, pod_manifest, policy, service
from vrtest.probe import Probe, World
from vrtest.tap import Tap

NS = "xyz"
NAMES = [f"{n}/{p}" for n in NS for p in "abc"]
PROTOS = ("TCP", "UDP", "SCTP")
tap = Tap("netpol")
nodes = Cluster(3).start().nodes if ON_API else {1: Node().start()}
node = nodes[1]
ON = {p: i % len(nodes) + 1 for i, p in enumerate("abc")}
world = World()

pods = {}


def pod_label(p):
    return {"matchLabels": {"pod": p}}


def ns_label(n):
    return {"matchLabels": {"ns": n}}


def expr(key, op, *values):
    return {"matchExpressions": [{"key": key, "operator": op, **({"values": list(values)} if values else {})}]}


def port(number, proto="TCP"):
    return {"port": number, "protocol": proto}


def namespaces(**extra):
    return [namespace_manifest(n, {"ns": n, **extra.get(n, {})}) for n in NS]


def pod_objects(**extra):
    return [pod_manifest(n, p, {"pod": p, **extra.get(n + p, {})},
                         [(f"serve-{num}-{proto.lower()}", num, proto)
                          for num in (80, 81) for proto in PROTOS], node=f"node{ON[p]}")
            for n in NS for p in "abc"]


def set_up():
    node.apply("10-namespaces", namespaces())
    node.apply("20-pods", pod_objects())
    node.apply("30-services", [
        service(n, f"s-{n}-{p}", [(num, num, proto) for num in (80, 81) for proto in PROTOS],
                {"pod": p}) for n in NS for p in "abc"])
    for name in NAMES:
        n, p = name.split("/")
        pods[name] = nodes[ON[p]].pod(n, p)
        for num in (80, 81):
            for proto in PROTOS:
                world.serve(pods[name], proto.lower(), num)
    sync()
    vips = node.vrctl("vip", "show")
    for name in NAMES:
        n, p = name.split("/")
        own = {v["addr"] for v in vips if v.get("label", "").startswith(f"{n}/s-{n}-{p}:")}
        pods[name].vip = {4: next(a for a in own if ":" not in a), 6: next(a for a in own if ":" in a)}


def sync():
    for each in nodes.values():
        each.sync()


def drops():
    return sum(each.drops("sg-egress", "sg-ingress") for each in nodes.values())


def wrong_pairs(family, allowed, num, proto):
    """All pairs at once; those that are not as allowed(src, dst) says."""
    pairs = [(s, d) for s in NAMES for d in NAMES if s != d]
    want_ok = sum(bool(allowed(s, d)) for s, d in pairs)
    before = drops()
    probes = [Probe(pods[s], proto.lower(), pods[d].vip[family], num) for s, d in pairs]

    def nothing_more_comes():
        done = sum(p.result is not None for p in probes)
        return done >= want_ok and drops() - before >= len(pairs) - want_ok

    got = world.run(probes, until=nothing_more_comes, seconds=3 if ON_API else 6 * SLOW)
    return [f"{s} -> {d}: {'open' if r else 'closed'}, should be {'open' if allowed(s, d) else 'closed'}"
            for (s, d), r in zip(pairs, got)
            if (r == d) != bool(allowed(s, d)) or (r is not None and r != d)]


def matrix(title, family, allowed, num=80, proto="TCP"):
    wrong = eventually(lambda: wrong_pairs(family, allowed, num, proto))
    tap.check(not wrong, title, "\n".join(wrong[:20]) + f"\n({len(wrong)} wrong)")


class Case:
    """One case: policies on, truth tables compared, policies off."""

    number = 0

    def __init__(self, title):
        Case.number += 1
        self.title = f"{Case.number:02d} {title}"
        self.family = 4 if Case.number % 2 else 6

    def __enter__(self):
        return self

    def policies(self, *objects):
        node.apply("40-policies", list(objects))
        sync()
        return self

    def expect(self, allowed, num=80, proto="TCP", what=""):
        matrix(f"{self.title}{', ' + what if what else ''} ({proto} {num}, IPv{self.family})",
               self.family, allowed, num, proto)
        return self

    def __exit__(self, kind, err, _tb):
        if kind:
            tap.check(False, self.title, repr(err))
        node.apply("40-policies", [])
        if not ON_API:      # there the next case looks until it sees what it wants
            sync()
        return kind is not None and issubclass(kind, Exception)


def ns_of(pod):
    return pod[0]


def open_(_s, _d):
    return True


def only_xa(allowed):
    """Everything is open but to x/a, where allowed(src) says."""
    return lambda s, d: d != "x/a" or allowed(s)


def from_xa(allowed):
    """Everything is open but from x/a, where allowed(dst) says."""
    return lambda s, d: s != "x/a" or allowed(d)


A = pod_label("a")
ANY_FROM = [{}]


def cases_ingress():
    with Case("default-deny ingress in a namespace") as c:
        c.policies(policy("x", "deny", types=["Ingress"])).expect(lambda s, d: ns_of(d) != "x")
    with Case("default-deny ingress and egress in a namespace") as c:
        c.policies(policy("x", "deny", types=["Ingress", "Egress"]))
        c.expect(lambda s, d: "x" not in (ns_of(s), ns_of(d)))
    with Case("ingress from a pod selector") as c:
        c.policies(policy("x", "p", A, [{"from": [{"podSelector": pod_label("b")}]}]))
        c.expect(only_xa(lambda s: s == "x/b"))
    with Case("deny-all and allow-all add up") as c:
        c.policies(policy("x", "deny", types=["Ingress"]), policy("x", "allow", A, ANY_FROM))
        c.expect(lambda s, d: ns_of(d) != "x" or d == "x/a")
    with Case("ingress from every namespace") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": {}}]}])).expect(open_)
    with Case("ingress from one namespace by label") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": ns_label("y")}]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"))
    with Case("podSelector with matchExpressions") as c:
        c.policies(policy("x", "p", A, [{"from": [{"podSelector": expr("pod", "In", "b")}]}]))
        c.expect(only_xa(lambda s: s == "x/b"))
    with Case("namespaceSelector with matchExpressions") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": expr("ns", "In", "y")}]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"))
    with Case("two peers are an OR") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": expr("ns", "NotIn", "x")},
                                                  {"podSelector": pod_label("b")}]}]))
        c.expect(only_xa(lambda s: ns_of(s) != "x" or s == "x/b"))
    with Case("one peer with both selectors is an AND") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": expr("ns", "NotIn", "x"),
                                                   "podSelector": pod_label("b")}]}]))
        c.expect(only_xa(lambda s: s in ("y/b", "z/b")))
    with Case("AND with several pods and namespaces") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": expr("ns", "NotIn", "x"),
                                                   "podSelector": expr("pod", "In", "b", "c")}]}]))
        c.expect(only_xa(lambda s: s in ("y/b", "y/c", "z/b", "z/c")))
    with Case("two pod selectors") as c:
        c.policies(policy("x", "p", A, [{"from": [{"podSelector": pod_label("b")},
                                                  {"podSelector": pod_label("c")}]}]))
        c.expect(only_xa(lambda s: s in ("x/b", "x/c")))
    with Case("one pod of one namespace") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": ns_label("y"),
                                                   "podSelector": A}]}]))
        c.expect(only_xa(lambda s: s == "y/a"))


def cases_ports():
    y = [{"namespaceSelector": ns_label("y")}]
    with Case("ingress to one port from one namespace") as c:
        c.policies(policy("x", "p", A, [{"from": y, "ports": [port(81)]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"), 81)
        c.expect(only_xa(lambda s: False), 80)
    with Case("a second policy opens another port") as c:
        p81 = policy("x", "p81", A, [{"from": y, "ports": [port(81)]}])
        c.policies(p81).expect(only_xa(lambda s: False), 80, what="before")
        c.policies(p81, policy("x", "p80", A, [{"from": y, "ports": [port(80)]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"), 80, what="after")
        c.expect(only_xa(lambda s: ns_of(s) == "y"), 81, what="after")
    with Case("allow-all ingress opens every port") as c:
        c.policies(policy("x", "p", {}, ANY_FROM)).expect(open_, 80).expect(open_, 81)
    with Case("ingress by named port") as c:
        c.policies(policy("x", "p", {}, [{"ports": [port("serve-81-tcp")]}]))
        c.expect(open_, 81).expect(lambda s, d: ns_of(d) != "x", 80)
    with Case("ingress by named port from one namespace") as c:
        c.policies(policy("x", "p", A, [{"from": y, "ports": [port("serve-80-tcp")]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"), 80).expect(only_xa(lambda s: False), 81)
    with Case("egress by named port") as c:
        c.policies(policy("x", "p", A, egress=[{"ports": [port("serve-80-tcp")]}], types=["Egress"]))
        c.expect(open_, 80).expect(from_xa(lambda d: False), 81)


def cases_changes():
    with Case("an updated policy takes effect") as c:
        c.policies(policy("x", "p", A, ANY_FROM)).expect(open_, what="allow-all")
        c.policies(policy("x", "p", A, [])).expect(only_xa(lambda s: False), what="deny-all")
    with Case("a namespace label added later") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": ns_label("y2")}]}]))
        c.expect(only_xa(lambda s: False), what="before")
        node.apply("10-namespaces", namespaces(y={"ns": "y2"}))
        sync()
        c.expect(only_xa(lambda s: ns_of(s) == "y"), what="after")
        node.apply("10-namespaces", namespaces())
    with Case("a pod label added later") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": {},
                                                   "podSelector": {"matchLabels": {"new": "1"}}}]}]))
        c.expect(only_xa(lambda s: False), what="before")
        node.apply("20-pods", pod_objects(yb={"new": "1"}))
        sync()
        c.expect(only_xa(lambda s: s == "y/b"), what="after")
        node.apply("20-pods", pod_objects())
    with Case("an empty pod selector is the own namespace") as c:
        c.policies(policy("x", "p", {}, [{"from": [{"podSelector": {}}]}]))
        c.expect(lambda s, d: ns_of(d) != "x" or ns_of(s) == "x")
    with Case("a label added to the target isolates it") as c:
        c.policies(policy("x", "p", {"matchLabels": {"target": "1"}}, [])).expect(open_, what="before")
        node.apply("20-pods", pod_objects(xa={"target": "1"}))
        sync()
        c.expect(only_xa(lambda s: False), what="after")
        node.apply("20-pods", pod_objects())


def cases_egress():
    with Case("default-deny egress of one pod") as c:
        c.policies(policy("x", "p", A, types=["Egress"])).expect(from_xa(lambda d: False))
    with Case("default-deny egress of a namespace") as c:
        c.policies(policy("x", "p", types=["Egress"])).expect(lambda s, d: ns_of(s) != "x")
    with Case("both directions in one policy") as c:
        c.policies(policy("x", "p", A, [{"from": [{"podSelector": pod_label("b")}]}],
                          [{"ports": [port(80)]}], ["Ingress", "Egress"]))
        c.expect(only_xa(lambda s: s == "x/b"), 80)
        c.expect(lambda s, d: s != "x/a" and (d != "x/a" or s == "x/b"), 81)
    with Case("client-side egress holds although the servers allow") as c:
        c.policies(policy("x", "e", A, egress=[{"to": [{"namespaceSelector": ns_label("y"),
                                                        "podSelector": A}]}], types=["Egress"]),
                   policy("y", "i", {"matchExpressions": [{"key": "pod", "operator": "In",
                                                           "values": ["a", "b"]}]},
                          [{"from": [{"namespaceSelector": ns_label("x"), "podSelector": A}]}]))
        c.expect(lambda s, d: (s != "x/a" or d == "y/a") and (d not in ("y/a", "y/b") or s == "x/a"))
    with Case("egress to one pod of one namespace") as c:
        c.policies(policy("x", "p", A, egress=[{"to": [{"namespaceSelector": ns_label("y"),
                                                        "podSelector": A}]}], types=["Egress"]))
        c.expect(from_xa(lambda d: d == "y/a"))
    with Case("a protocol without a port is all of its ports") as c:
        c.policies(policy("x", "p", A, [{"ports": [{"protocol": "TCP"}]}]))
        c.expect(open_, 80).expect(open_, 81).expect(only_xa(lambda s: False), 80, "UDP")
    with Case("allow-all ingress beside allow-80") as c:
        p80 = policy("x", "p80", A, [{"ports": [port(80)]}])
        c.policies(p80).expect(only_xa(lambda s: False), 81, what="before")
        c.policies(p80, policy("x", "all", A, ANY_FROM)).expect(open_, 81, what="after")
    with Case("allow-all egress beside allow-80") as c:
        p80 = policy("x", "p80", A, egress=[{"ports": [port(80)]}], types=["Egress"])
        c.policies(p80).expect(from_xa(lambda d: False), 81, what="before")
        c.policies(p80, policy("x", "all", A, egress=[{}], types=["Egress"]))
        c.expect(open_, 81, what="after")
    with Case("a deleted policy opens again") as c:
        c.policies(policy("x", "p", {}, [], [], ["Ingress", "Egress"]))
        c.expect(lambda s, d: "x" not in (ns_of(s), ns_of(d)), what="before")
        c.policies().expect(open_, what="after")


def cases_ipblock():
    def bits(pod, family):
        return pods[pod].addr(family) + ("/128" if family == 6 else "/32")

    def everything(family):
        return node.networks[0].split(",")[family == 6]

    with Case("egress to one address") as c:
        c.policies(policy("x", "p", A, types=["Egress"], egress=[
            {"to": [{"ipBlock": {"cidr": bits("y/b", c.family)}}]}]))
        c.expect(from_xa(lambda d: d == "y/b"))
    with Case("egress to a block except one address") as c:
        c.policies(policy("x", "p", A, types=["Egress"], egress=[
            {"to": [{"ipBlock": {"cidr": everything(c.family), "except": [bits("y/b", c.family)]}}]}]))
        c.expect(from_xa(lambda d: d != "y/b"))
    with Case("another policy opens what was excepted") as c:
        first = policy("x", "p1", A, types=["Egress"], egress=[
            {"to": [{"ipBlock": {"cidr": everything(c.family), "except": [bits("y/b", c.family)]}}]}])
        c.policies(first).expect(from_xa(lambda d: d != "y/b"), what="before")
        c.policies(first, policy("x", "p2", A, types=["Egress"], egress=[
            {"to": [{"ipBlock": {"cidr": bits("y/b", c.family)}}]}])).expect(open_, what="after")
    with Case("ingress and egress rules of one pod do not mix") as c:
        c.policies(policy("x", "i", A, [{"from": [{"namespaceSelector": ns_label("y")}]}]),
                   policy("x", "e", A, egress=[{"to": [{"namespaceSelector": ns_label("z")}]}],
                          types=["Egress"]))
        c.expect(lambda s, d: (d != "x/a" or ns_of(s) == "y") and (s != "x/a" or ns_of(d) == "z"))


def cases_protocols():
    with Case("an SCTP rule does not open TCP") as c:
        c.policies(policy("x", "p", A, [{"ports": [port(81, "SCTP")]}]))
        c.expect(only_xa(lambda s: False), 81)
    with Case("an SCTP policy isolates from TCP") as c:
        c.policies(policy("x", "p", A, [{"ports": [port(80, "SCTP")]}]))
        c.expect(only_xa(lambda s: False), 80)
    with Case("a UDP policy does not open TCP") as c:
        c.policies(policy("x", "p", A, [{"ports": [port(81, "UDP")]}]))
        c.expect(only_xa(lambda s: False), 81).expect(open_, 81, "UDP")
    name = "kubernetes.io/metadata.name"
    with Case("the namespace's own name as a label") as c:
        c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": {"matchLabels": {name: "y"}}}]}]))
        c.expect(only_xa(lambda s: ns_of(s) == "y"))
    with Case("egress by NotIn on the namespace's name") as c:
        c.policies(policy("x", "p", A, egress=[{"to": [{"namespaceSelector": expr(name, "NotIn", "y")}]}],
                          types=["Egress"]))
        c.expect(from_xa(lambda d: ns_of(d) != "y"))
    for proto in ("UDP", "SCTP"):
        with Case(f"{proto}: default-deny ingress") as c:
            c.policies(policy("x", "deny", types=["Ingress"]))
            c.expect(lambda s, d: ns_of(d) != "x", 80, proto)
        with Case(f"{proto}: one port from one namespace") as c:
            c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": ns_label("y")}],
                                             "ports": [port(81, proto)]}]))
            c.expect(only_xa(lambda s: ns_of(s) == "y"), 81, proto)
            c.expect(only_xa(lambda s: False), 80, proto)
        with Case(f"{proto}: only one pod of one namespace") as c:
            c.policies(policy("x", "p", A, [{"from": [{"namespaceSelector": ns_label("y"),
                                                       "podSelector": A}]}]))
            c.expect(only_xa(lambda s: s == "y/a"), 80, proto)


set_up()
for proto_ in PROTOS:
    matrix(f"00 no policy: all is open ({proto_} 80, IPv4)", 4, open_, 80, proto_)
    matrix(f"00 no policy: all is open ({proto_} 81, IPv6)", 6, open_, 81, proto_)
cases_ingress()
cases_ports()
cases_changes()
cases_egress()
cases_ipblock()
cases_protocols()
tap.equal(Case.number, 48, "all 48 cases ran")
tap.done()
