#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What users get wrong, and the API server lets through: each ends in an Event or a condition that says what and
where, and everything else goes on.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.kube import PATIENCE, ControlPlane
from vrtest.kube_api import ApiError
from vrtest.manager import Manager
from vrtest.tap import Tap

tap = Tap("badinput")
cp = ControlPlane(controller_manager=True)
GROUP = "/apis/opencontrail.org/v1"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/team/networkpolicies"
manager = Manager(cp)
made = 0


def until(cond, what):
    return tap.until(cond, what, PATIENCE, lambda: manager.said()[-3000:])


def path(kind, name=None, namespace="team"):
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{GROUP}{where}/{kind}" + (f"/{name}" if name else "")


def make(kind, name, spec, namespace="team"):
    return cp.api.post(path(kind.lower() + "s", namespace=namespace), {
        "apiVersion": "opencontrail.org/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def ready(kind, name, namespace="team"):
    """The status and message of an object's condition."""
    obj = cp.api.find(path(kind.lower() + "s", name, namespace)) or {}
    for c in obj.get("status", {}).get("conditions", []):
        if c["type"] == "Ready" and c["observedGeneration"] == obj["metadata"]["generation"]:
            return c["status"], c["message"]
    return None, ""


def told(name, text, namespace="team"):
    """Is there an Event on an object of this name that says it?"""
    return any(e["involvedObject"]["name"] == name and text in e["message"]
               for e in cp.api.get(f"/api/v1/namespaces/{namespace}/events?limit=5000")["items"])


def pod(name, namespace="team", **notes):
    cp.pod(namespace, name, "n1", {"app": name[:63].rstrip(".")}, ports=[8080], annotations=notes)


def interface(name, namespace="team"):
    return (cp.api.find(path("virtualmachineinterfaces", name, namespace)) or {}).get("spec")


def annotate(what, name, **notes):
    where = f"/api/v1/{what}/{name}" if what == "namespaces" else f"/api/v1/namespaces/team/{what}/{name}"
    cp.api.patch(where, {"metadata": {"annotations": notes}})


def policy(name, spec, call=None):
    (call or cp.api.post)(POLICIES, {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                                     "metadata": {"name": name}, "spec": spec})


def service(name, **spec):
    spec = {"selector": {"app": "good"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    return cp.api.post("/api/v1/namespaces/team/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})


def problems():
    """How many objects the manager could not take as they are."""
    return manager.metrics().get("vrouter_manager_problems")


def goes_on():
    """After each case: a pod that comes now has an interface, and the manager is the one that was started."""
    global made  # pylint: disable=global-statement
    made += 1
    pod(f"good-{made}")
    until(lambda: interface(f"good-{made}"), "everything else goes on")
    assert manager.runs(), manager.said()


# ---- cases

def annotations_of_pods():
    """That are no JSON, or JSON of another form."""
    networks = "k8s.v1.cni.cncf.io/networks"
    for name, key, value, text in (
            ("half", networks, '[{"name": "blue"', networks),
            ("number", networks, '[7]', networks),
            ("unnamed", networks, '[{"namespace": "team"}]', networks),
            ("slashes", "opencontrail.org/network", "a/b/c", "opencontrail.org/network"),
            ("brace", "opencontrail.org/network", "{", "opencontrail.org/network"),
            ("groups", "opencontrail.org/security-groups", "a b,,C/", "opencontrail.org/security-groups")):
        pod(name, **{key: value})
        until(lambda n=name, t=text: told(n, t), f"annotation {key}: {value}: an Event that names it")
        tap.equal(interface(name), None, "and no interface: it could be in the wrong network")


def annotations_of_namespaces():
    """Neither true nor false: the stricter of the two, and it is said."""
    cp.namespace("vague")
    pod("p", "vague")
    until(lambda: interface("p", "vague"), "a pod in a namespace that is not isolated")
    for key in ("isolation", "ip_fabric_snat", "ip_fabric_forwarding"):
        annotate("namespaces", "vague", **{f"opencontrail.org/{key}": "yes"})
        until(lambda k=key: told("vague", f'opencontrail.org/{k}]: must be "true" or "false", not "yes"', "default"),
              f"opencontrail.org/{key}: yes: an Event on the namespace")
        if key == "isolation":
            until(lambda: any("isolation-ingress" in g for g in interface("p", "vague")["securityGroups"]), "it is isolated: better than open")
        annotate("namespaces", "vague", **{f"opencontrail.org/{key}": "false"})
    until(lambda: not any("isolation-ingress" in g for g in interface("p", "vague")["securityGroups"]), "with false it is not")
    # cut off in the middle of a character it would be no text
    for text in ("a" + "\u00e9" * 300, "\u00e9" * 300, "aa" + "\u20ac" * 300, "\u20ac" * 600):
        annotate("namespaces", "vague", **{"opencontrail.org/isolation": text})
        until(lambda t=text: told("vague", t[:10], "default"), f"{len(text.encode())} octets of other characters: an Event")
        pod(f"u{len(text.encode())}", **{"opencontrail.org/network": text})
        until(lambda t=text: told(f"u{len(t.encode())}", "opencontrail.org/network"), "and on a pod that names a network so")
    annotate("namespaces", "vague", **{"opencontrail.org/isolation": "false"})
    annotate("namespaces", "vague", **{"opencontrail.org/network": "{not json"})
    pod("q", "vague")
    until(lambda: told("q", "{not json", "vague"), "a network that is no JSON: an Event on each pod")
    tap.equal(interface("q", "vague"), None, "which is in no network")


def annotations_of_services():
    service("watched")
    annotate("services", "watched", **{"opencontrail.org/health-monitor": "No Such/Thing/"})
    until(lambda: told("watched", "opencontrail.org/health-monitor"), "a monitor's name that is none: an Event on the service")
    annotate("services", "watched", **{"opencontrail.org/health-monitor": "absent"})
    until(lambda: told("watched", "there is no HealthMonitor team/absent"), "one that is not there: an Event")
    until(lambda: cp.api.find(path("loadbalancers", "watched")), "it is balanced all the same")


def networks():
    """Pools that overlap, addresses that are none or out of their pool."""
    for name, spec, text in (
            ("twice", {"subnets": [{"cidr": "10.200.0.0/24"}, {"cidr": "10.200.0.128/25"}]}, "10.200.0.128/25"),
            ("long", {"subnets": [{"cidr": "10.200.0.0/33"}]}, "spec.subnets[0].cidr"),
            ("tiny", {"subnets": [{"cidr": "10.200.0.0/31"}]}, "spec.subnets[0].cidr"),
            ("loop", {"subnets": [{"cidr": "127.0.0.0/24"}]}, "spec.subnets[0].cidr"),
            ("many", {"subnets": [{"cidr": "224.0.0.0/24"}]}, "spec.subnets[0].cidr")):
        try:
            make("VirtualNetwork", name, spec)
        except ApiError as err:
            # before 1.25 it leaves out indices
            tap.check(text in err.message or text.replace("[0]", "") in err.message, f"VirtualNetwork {spec}: the API server names {text}", err)
            continue
        until(lambda n=name, t=text: ready("VirtualNetwork", n)[0] == "False" and t in ready("VirtualNetwork", n)[1],
              f"VirtualNetwork {spec}: its condition names {text}")


def routers():
    make("LogicalRouter", "nowhere", {"network": "absent"})
    until(lambda: "spec.network: there is no VirtualNetwork team/absent" in ready("LogicalRouter", "nowhere")[1],
          "a LogicalRouter of a network that is not there: its condition says so")
    make("VirtualNetwork", "absent", {"subnets": [{"cidr": "10.211.0.0/24"}]})
    until(lambda: ready("LogicalRouter", "nowhere") == ("True", "in force as it is written"), "the network comes: it is in force")
    make("LogicalRouter", "first", {"network": "absent"})
    cp.api.delete(path("virtualnetworks", "absent"))
    until(lambda: "there is no VirtualNetwork" in ready("LogicalRouter", "first")[1], "and goes: the condition of the one in force says so")
    tap.check("LogicalRouter team/first already" in ready("LogicalRouter", "nowhere")[1], "that of the other one what it says for itself",
              ready("LogicalRouter", "nowhere"))
    cp.api.delete(path("logicalrouters", "first"))
    until(lambda: "there is no VirtualNetwork" in ready("LogicalRouter", "nowhere")[1], "a message changes though the status does not")
    make("LogicalRouter", "words", {"network": "absent", "snat": {"addresses": ["0.0.0.0"]}})
    until(lambda: "spec.snat.addresses[0]" in ready("LogicalRouter", "words")[1], "an address that is none: its condition says where")
    make("VirtualNetwork", "routed", {"subnets": [{"cidr": "10.210.0.0/24"}]})
    make("LogicalRouter", "one", {"network": "routed"})
    until(lambda: ready("LogicalRouter", "one") == ("True", "in force as it is written"), "one that is right is Ready")
    make("LogicalRouter", "two", {"network": "routed"})
    until(lambda: "team/routed has LogicalRouter team/one already" in ready("LogicalRouter", "two")[1], "a second one of the network is not")
    cp.api.delete(path("logicalrouters", "one"))
    until(lambda: ready("LogicalRouter", "two") == ("True", "in force as it is written"), "but is when the first one goes")


def monitors():
    make("HealthMonitor", "good", {"type": "TCP"})
    until(lambda: ready("HealthMonitor", "good") == ("True", "in force as it is written"), "a HealthMonitor that is right is Ready")
    make("HealthMonitor", "back", {"type": "HTTP", "expectedStatus": [200, "399-300"]})
    until(lambda: "spec.expectedStatus[1]: must be an HTTP status from 100 to 599, or a range" in ready("HealthMonitor", "back")[1],
          "one with a range that ends before it begins: its condition says so")
    cp.api.patch(path("healthmonitors", "back"), {"spec": {"expectedStatus": [200, "300-399"]}})
    until(lambda: ready("HealthMonitor", "back") == ("True", "in force as it is written"), "mended, it is Ready")


def chains():
    make("ServiceChain", "loose", {"left": "absent", "right": "gone", "podSelector": {"matchLabels": {"app": "fw"}}})
    until(lambda: "there is no VirtualNetwork" in ready("ServiceChain", "loose")[1], "a ServiceChain between networks that are not there")


def addresses():
    """An address out of its pool, or another's."""
    pod("astray")
    until(lambda: interface("astray"), "a pod")
    mine = interface("astray")["addresses"]
    cp.pod_status("team", "astray", ["198.51.100.7"])
    until(lambda: told("astray", "status.podIP: 198.51.100.7 is outside of the"), "a status with an address of no pool: an Event")
    tap.equal(interface("astray")["addresses"], mine, "it keeps its own")
    # somebody writes an InstanceIP by hand
    cp.api.post(path("instanceips", namespace=None), {
        "apiVersion": "opencontrail.org/v1", "kind": "InstanceIP", "metadata": {"name": "198.51.100.9"},
        "spec": {"address": "198.51.100.9", "network": "default/cluster-network", "interface": "team/astray", "family": "IPv4"}})
    goes_on()
    tap.equal(interface("astray")["addresses"], mine, "an InstanceIP out of its pool changes nothing")


def same_address():
    """Cluster IPs are the API server's to give once; external addresses it lets through."""
    service("first", externalIPs=["203.0.113.5"])
    until(lambda: cp.api.find(path("loadbalancers", "first")), "a service at an external address")
    service("second", externalIPs=["203.0.113.5"])
    until(lambda: told("second", "203.0.113.5"), "another one at the same address and port: an Event that names the address")
    mine = cp.api.get("/api/v1/namespaces/team/services/first")["spec"]["clusterIP"]
    service("third", externalIPs=[mine])
    until(lambda: told("third", f'spec.externalIPs[0]: "{mine}" is in the cluster\'s service network'), "one at another one's cluster IP: an Event")
    until(lambda: cp.api.find(path("loadbalancers", "third")), "it is balanced")
    tap.equal(cp.api.get(path("loadbalancers", "third"))["spec"].get("externalAddresses"), None, "but not there")
    before = problems()
    cp.api.delete("/api/v1/namespaces/team/services/first")
    until(lambda: problems() == before - 1, "the first one gone, nothing is wrong with the second one")


def many_peers():
    """A policy with 10 000 peers."""
    peers = [{"ipBlock": {"cidr": f"10.{64 + i // 65536}.{i // 256 % 256}.{i % 256}/32"}} for i in range(10000)]
    policy("wide", {"podSelector": {"matchLabels": {"app": "wide"}}, "ingress": [{"from": peers, "ports": [{"port": 80}]}]})
    pod("wide")
    until(lambda: interface("wide"), "a pod of the policy has its interface")
    until(lambda: sum(len((cp.api.find(path("securitygroups", g.split("/")[1])) or {"spec": {"rules": []}})["spec"]["rules"])
                      for g in interface("wide")["securityGroups"] if "policy-wide" in g) == 10000,
          "and is in SecurityGroups with a rule for each peer")
    cp.api.delete(f"{POLICIES}/wide")
    until(lambda: not [g for g in interface("wide")["securityGroups"] if "policy-wide" in g], "the policy goes")


def longest_names():
    """All that an object's name may be."""
    ns = "n" * 63
    cp.namespace(ns)
    name = ".".join(["p" * 61] * 4) + ".abcde"    # 253 characters
    assert len(name) == 253
    pod(name, ns)
    until(lambda: interface(name, ns), "a pod whose names are as long as they may be has an interface")
    svc = "s" * 63
    cp.api.post(f"/api/v1/namespaces/{ns}/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": svc}, "spec": {
        "selector": {"app": name[:63].rstrip(".")}, "ports": [{"name": "p" * 63, "port": 80}, {"name": "q" * 63, "port": 81}]}})
    until(lambda: cp.api.find(path("loadbalancers", svc, ns)), "and so has a service its LoadBalancer")
    until(lambda: len(cp.api.get(path("loadbalancerpools", namespace=ns))["items"]) == 2, "with a pool for each port")
    cp.api.post(f"/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": {
            "podSelector": {"matchLabels": {"app": name[:63].rstrip(".")}},
            "ingress": [{"from": [{"podSelector": {"matchExpressions": [
                {"key": f"{name}/{'k' * 63}", "operator": "In", "values": ["v" * 63, "w" * 63]}]}}]}]}})
    until(lambda: any(g.split("/")[1].startswith("policy-") for g in interface(name, ns)["securityGroups"]), "a policy selects the pod")
    want = interface(name, ns)["securityGroups"]
    until(lambda: all(cp.api.find(path("securitygroups", g.split("/")[1], ns)) for g in want), "and all its groups are there")


with cp:
    cp.install()
    cp.namespace("team")
    cp.node("n1", ["192.0.2.1", "2001:db8::1"])
    manager.start()
    CASES = (annotations_of_pods, annotations_of_namespaces, annotations_of_services, networks, routers, monitors, chains,
             addresses, same_address, many_peers, longest_names)

    def checked(case):
        case()
        goes_on()
    tap.run([(f.__name__, lambda f=f: checked(f)) for f in CASES], only=os.environ.get("CASE"))
    if tap.failed:
        tap.say(manager.said()[-6000:])
    tap.equal(manager.end(), 0, "the manager ends in an orderly way")
tap.done()
