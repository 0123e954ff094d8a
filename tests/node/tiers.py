#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""ClusterNetworkPolicy over two nodes: what the tiers Admin and Baseline accept, deny and pass, above
and below NetworkPolicies and isolation; on new connections and on one that lives.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric
from vrtest.node import BUILD, SLOW, namespace_manifest, pod_manifest, policy, service
from vrtest.probe import Probe, Stream, World
from vrtest.tap import Tap
from vrtest.wired import Place

tap = Tap("tiers")
world = World()
fabric = Fabric(2)
nodes = fabric.nodes
WAIT = 10 * SLOW
ON = {"shop/a": 1, "shop/b": 2, "bank/a": 1, "bank/b": 2}
NAMES = list(ON)
pods, vips = {}, {}


def set_up():
    nodes[1].apply("10-namespaces", [namespace_manifest(n, {"ns": n}) for n in ("shop", "bank")])
    nodes[1].apply("20-pods", [
        pod_manifest(*name.split("/"), {"pod": name.split("/")[1]}, [("http", 8080, "TCP"), ("echo", 8081, "TCP")], node=f"node{n}")
        for name, n in ON.items()])
    nodes[1].apply("30-services", [service(*name.split("/"), [(80, 8080, "TCP")], {"pod": name.split("/")[1]}) for name in NAMES])
    for name in NAMES:
        pods[name] = nodes[ON[name]].pod(*name.split("/"))
        for port in (8080, 8081):
            world.serve(pods[name], "tcp", port)
    fabric.sync()
    for name in NAMES:
        vips[name] = [nodes[1].vip(*name.split("/"), family) for family in (4, 6)]


def cluster_policy(name, tier, priority, subject, **rules):
    return {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": name},
            "spec": {"tier": tier, "priority": priority, "subject": of(subject), **rules}}


def of(namespace):
    return {"namespaces": {"matchLabels": {"ns": namespace}} if namespace else {}}


def rule(action, *namespaces, way="from", **more):
    return {"action": action, way: [of(n) for n in namespaces], **more}


def policies(*objects):
    nodes[1].apply("40-policies", list(objects))
    fabric.sync()


def drops():
    return sum(node.drops("sg-egress", "sg-ingress") for node in nodes.values())


def matrix(what, *rows, port=8080):
    """A row for each sender, a column for each receiver: x reached, . not, - itself."""
    want = {(s, d): rows[i][j] == "x" for i, s in enumerate(NAMES) for j, d in enumerate(NAMES) if i != j}
    for how, addr in (("IPv4", lambda d: (pods[d].v4, port)), ("IPv6", lambda d: (pods[d].v6, port)),
                      ("service", lambda d: (vips[d][0], 80))):
        if how == "service" and port != 8080:
            continue
        before, closed = drops(), sum(not w for w in want.values())
        probes = {pair: Probe(pods[pair[0]], "tcp", *addr(pair[1])) for pair in want}
        world.run(list(probes.values()), seconds=WAIT, until=lambda b=before, c=closed, p=probes: drops() - b >= c and
                  all(p[pair].result for pair, w in want.items() if w))
        wrong = [f"{s} -> {d}: {probes[s, d].result}" for (s, d), w in want.items()
                 if probes[s, d].result != (d if w else None)]
        tap.check(not wrong, f"{what}: by {how}", "\n".join(wrong))


OPEN = ("-xxx", "x-xx", "xx-x", "xxx-")
NO_BANK_TO_SHOP = ("-xxx", "x-xx", "..-x", "..x-")


def admin():
    flow = Stream(pods["bank/a"], pods["shop/b"], WAIT)
    tap.check(flow.talks(WAIT), "a connection from bank to shop")
    policies(cluster_policy("p", "Admin", 5, "shop", ingress=[rule("Deny", "bank")]))
    matrix("bank denied", *NO_BANK_TO_SHOP)
    tap.check(not flow.talks(SLOW), "the connection is cut")
    flow.close()
    node = Place(nodes[2].ns, "host2", nodes[2].addrs)
    tap.equal(world.ask(node, "tcp", pods["shop/b"].v4, 8080, WAIT), "shop/b", "the node reaches its pod")
    policies(cluster_policy("p", "Admin", 5, "shop", ingress=[rule("Deny", "bank", protocols=[{"destinationNamedPort": "echo"}])]))
    matrix("one port of bank denied", *NO_BANK_TO_SHOP, port=8081)
    matrix("the other is not", *OPEN)
    policies(cluster_policy("p", "Admin", 5, "bank", egress=[rule("Deny", "shop", way="to")]))
    matrix("denied at the sender", *NO_BANK_TO_SHOP)


def order():
    deny = cluster_policy("deny", "Admin", 5, "shop", ingress=[rule("Deny", "bank")])
    policies(deny, cluster_policy("accept", "Admin", 6, "shop", ingress=[rule("Accept", "bank")]))
    matrix("a later priority has no say", *NO_BANK_TO_SHOP)
    policies(deny, cluster_policy("accept", "Admin", 4, "shop", ingress=[rule("Accept", "bank")]))
    matrix("an earlier one has", *OPEN)
    policies(cluster_policy("both", "Admin", 4, "shop", ingress=[rule("Deny", "bank"), rule("Accept", "bank")]))
    matrix("the first rule counts", *NO_BANK_TO_SHOP)


def above_policies():
    closed = policy("shop", "closed", types=["Ingress"])
    policies(closed, cluster_policy("p", "Admin", 1, "shop", ingress=[rule("Accept", "bank")]))
    matrix("what a policy closes is accepted", "-.xx", ".-xx", "xx-x", "xxx-")
    policies(closed, cluster_policy("p", "Admin", 1, "shop", ingress=[rule("Pass", "bank"), rule("Accept", "")]))
    matrix("passed to the policy", *NO_BANK_TO_SHOP)
    opened = policy("shop", "open", ingress=[{}])
    policies(opened, cluster_policy("p", "Admin", 1, "shop", ingress=[rule("Deny", "bank")]))
    matrix("what a policy opens is denied", *NO_BANK_TO_SHOP)


def below_policies():
    floor = cluster_policy("floor", "Baseline", 0, "shop", ingress=[rule("Deny", "")])
    policies(floor)
    matrix("the baseline denies", "-.xx", ".-xx", "..-x", "..x-")
    policies(floor, policy("shop", "open", {"matchLabels": {"pod": "a"}}, ingress=[{}]))
    matrix("where no policy selects", "-.xx", "x-xx", "x.-x", "x.x-")
    policies(floor, cluster_policy("top", "Admin", 0, "shop", ingress=[rule("Accept", "bank"), rule("Pass", "shop")]))
    matrix("and where no rule above accepts", "-.xx", ".-xx", "xx-x", "xxx-")


def isolated():
    """Isolation is in the middle, as NetworkPolicies are."""
    namespace = namespace_manifest("shop", {"ns": "shop"})
    namespace["metadata"]["annotations"] = {"opencontrail.org/isolation": "true"}
    nodes[1].apply("10-namespaces", [namespace, namespace_manifest("bank", {"ns": "bank"})])
    policies()
    matrix("shop isolated", "-x..", "x-..", "..-x", "..x-")
    policies(cluster_policy("p", "Admin", 1, "shop", ingress=[rule("Accept", "bank")]))
    matrix("open to bank by a rule above", "-x..", "x-..", "xx-x", "xxx-")
    nodes[1].apply("10-namespaces", [namespace_manifest(n, {"ns": n}) for n in ("shop", "bank")])


def seen():
    """What an operator sees of it."""
    policies(cluster_policy("p", "Admin", 5, "shop", ingress=[rule("Deny", "bank", name="no bank here")]))
    group = next(g for g in nodes[2].vrctl("sg", "show") if g["label"] == "default/cluster-policy-p")
    tap.equal((group["tier"], group["priority"], group["enforce"]), ("admin", 5, []), "vrctl sg show has tier and priority")
    tap.equal((group["rule"][0]["action"], group["rule"][0]["label"]),
              ("deny", "cluster policy p ingress[0].from[0] no bank here"), "and the rule's action and name")
    steps = nodes[2].ns.run([f"{BUILD}/vrctl", "trace", "vif", "bank/b", "dst", pods["shop/b"].v4, "proto", "tcp",
                             "dport", "8080"], check=False).stdout
    tap.check("cluster policy p ingress[0].from[0] no bank here" in steps and "denies it" in steps,
              "vrctl trace names the rule that denies", steps)

    def hits():
        found = next(g for g in nodes[2].vrctl("-s", "sg", "show") if g["label"] == "default/cluster-policy-p")
        return found["rule"][0]["hits"]
    before = hits()
    tap.equal(world.run([Probe(pods["bank/b"], "tcp", pods["shop/b"].v4, 8080)], seconds=WAIT, until=lambda: hits() > before),
              [None], "what the rule denies is counted there")
    policies()
    matrix("and back", *OPEN)


set_up()
tap.run([(f.__name__, f) for f in (admin, order, above_policies, below_policies, isolated, seen)], only=os.environ.get("CASE"))
if tap.failed:
    tap.say(fabric.logs())
tap.done()
