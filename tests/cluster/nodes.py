#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A cluster: a real API server, the manager, two nodes whose daemons follow the API server with the
rights of their service account, pods attached by the CNI plugin. Services, policies and isolation come
through the API; the manager, the API server and a daemon are killed while connections live.
"""

import ipaddress
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.cluster import Cluster
from vrtest.kube import PATIENCE
from vrtest.probe import Probe, Stream, World
from vrtest.tap import Tap
from vrtest.wired import Place

tap = Tap("nodes")
world = World()
cluster = Cluster(2).start()
nodes, hosts, cp = cluster.nodes, cluster.hosts, cluster.cp
ON = {"web-1": 1, "web-2": 2, "client": 1, "other": 2}
WAIT = 60
pods = {}


def until(cond, what):
    return tap.until(cond, what, PATIENCE, cluster.logs)


def make_pod(name, namespace="default", labels=None):
    cp.pod(namespace, name, f"node{ON.get(name, 1)}", labels or {"app": name.split("-", maxsplit=1)[0]}, ports=[8080])


def run_pod(name, namespace="default"):
    pod = nodes[ON.get(name, 1)].pod(namespace, name)
    world.serve(pod, "tcp", 8080)
    world.serve(pod, "udp", 8080)
    pods[name] = pod
    return pod


def ask(src, addr, port, proto="tcp"):
    return world.ask(src, proto, addr, port, WAIT)


def who(src, addr, port=80, count=30):
    return set(world.run([Probe(src, "tcp", addr, port) for _ in range(count)], seconds=WAIT))


def vips(name):
    return cp.api.get(f"/api/v1/namespaces/default/services/{name}")["spec"]["clusterIPs"]


def programmed(label):
    """The service is in both nodes' kernels."""
    return all(any(v.get("label", "").startswith(f"{label}:") for v in n.vrctl("vip", "show")) for n in nodes.values())


# ---- cases

def set_up():
    for name in ON:
        make_pod(name)
    cp.api.post("/api/v1/namespaces/default/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {
            "type": "NodePort", "selector": {"app": "web"}, "ipFamilyPolicy": "PreferDualStack",
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080},
                      {"name": "dns", "port": 53, "targetPort": 8080, "protocol": "UDP"}]}})


def pods_run():
    """The plugin's ADD waits for what the manager writes and the daemon programs."""
    for name in ON:
        run_pod(name)
    tap.check(True, "all pods are attached")
    for name in ("web-1", "web-2"):
        for addr in pods[name].addresses:
            tap.equal(ask(pods["client"], addr, 8080), f"default/{name}", f"client reaches {name} at {addr}")
    tap.equal(ask(hosts[1], pods["web-1"].v4, 8080), "default/web-1", "the node reaches its pod")
    for path, own, others in (("readyz", "200", "200"), ("metrics", "200", "200"), ("debug/", "200", "403")):
        tap.equal([fetched(cluster.outside, "127.0.0.1", path), fetched(nodes[1].ns, "192.0.2.254", path)], [own, others],
                  f"the manager's /{path}, on its host and from a node")


def fetched(ns, addr, path):
    """The status of an answer of the manager's."""
    return ns.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-m", str(WAIT), f"http://{addr}:8095/{path}"], check=False).stdout


def routes(n, label):
    """To what node n has routes of this label, and with which groups."""
    found = [r for r in nodes[n].vrctl("route", "show") if r.get("label") == label]
    # after the routes: a group that one of them names is there before it
    names = {g["id"]: g["label"] for g in nodes[n].vrctl("sg", "show")}
    return {r["prefix"]: {names.get(g, g) for g in r.get("sg", [])} for r in found}


def blocks():
    """Pods of another node are behind a route to its block, but those that a policy here asks for."""
    for n, pod, other in ((1, "web-2", 2), (2, "web-1", 1)):
        wide = [ipaddress.ip_network(p) for p in routes(n, f"Node/node{other}") if not p.endswith(("/32", "/128"))]
        tap.check(all(any(ipaddress.ip_address(a) in net for net in wide) for a in pods[pod].addresses),
                  f"node{n} has routes to the blocks of node{other}", wide)
        tap.equal(routes(n, f"default/{pod}"), {}, f"and none to {pod} alone")
    cp.api.post("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "ask"}, "spec": {
            "podSelector": {"matchLabels": {"app": "client"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "other"}}}]}]}})
    until(lambda: len(routes(1, "default/other")) == 2, "a policy that asks for a pod of the other node gives it its own routes")
    tap.check(all(len(groups) == 1 for groups in routes(1, "default/other").values()), "with the group that is asked for alone",
              routes(1, "default/other"))
    tap.equal((routes(1, "default/web-2"), routes(2, "default/client")), ({}, {}), "but nobody else, nor on the other node")
    for addr in pods["client"].addresses:
        tap.equal(ask(pods["other"], addr, 8080), "default/client", f"it is served at {addr}")
        closed = nodes[1].drops("sg-ingress")
        tap.equal(world.ask(pods["web-2"], "tcp", addr, 8080, 2), None, "and a neighbour of it is not")
        tap.check(nodes[1].drops("sg-ingress") > closed, "by the policy")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/ask")
    until(lambda: world.ask(pods["web-2"], "tcp", pods["client"].v4, 8080, 2) == "default/client", "without it all are served")


def services():
    until(lambda: programmed("default/web"), "the service is programmed")
    both = {"default/web-1", "default/web-2"}
    for addr in vips("web"):
        until(lambda a=addr: who(pods["client"], a) == both, f"members of both nodes serve at {addr}")
    tap.check(str(ask(pods["other"], vips("web")[0], 53, "udp")).startswith("default/web"), "and by UDP")
    outside = Place(cluster.outside, "outside", ("192.0.2.254",))
    tap.equal(who(outside, "192.0.2.1", 30080), both, "and by the node port, from outside")
    first = cp.api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    with pods["client"].ns:
        res = subprocess.run(["curl", "-sS", "-m", str(WAIT), "--cacert", cp.tls.ca, "--connect-to", f"kubernetes:443:{first}:443",
                              "https://kubernetes/version"], capture_output=True, text=True, check=False)
    tap.check(res.returncode == 0 and ("gitVersion" in res.stdout or "Unauthorized" in res.stdout or "Forbidden" in res.stdout),
              "a pod reaches the API server by the service kubernetes", res.stdout + res.stderr)


def slice_of(family, name):
    """One EndpointSlice with one pod, as a service with many has them."""
    pod = pods[name]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": f"IPv{family}",
            "metadata": {"name": f"many-{family}-{name}", "labels": {"kubernetes.io/service-name": "many"}},
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
            "endpoints": [{"addresses": [pod.v4 if family == 4 else pod.v6], "nodeName": f"node{ON[name]}",
                           "conditions": {"ready": True, "serving": True, "terminating": False},
                           "targetRef": {"kind": "Pod", "namespace": "default", "name": name}}]}


def slices():
    """A service of several EndpointSlices, whose members are in a pool and its shards."""
    own = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    both, families = {"default/web-1", "default/web-2"}, (4, 6)
    cp.api.post("/api/v1/namespaces/default/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "many"}, "spec": {
            "ipFamilyPolicy": "PreferDualStack", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
    addrs = dict(zip(families, vips("many")))

    def served(who_is):
        return all(who(pods[name], addrs[f]) == who_is for name in ("client", "other") for f in families)

    def shards():
        pools = cp.api.get("/apis/opencontrail.org/v1/namespaces/default/loadbalancerpools")["items"]
        return sum(p["spec"].get("shardOf", "").startswith("default/many.") for p in pools)

    for name in ("web-1", "web-2"):
        for f in families:
            cp.api.post(own, slice_of(f, name))
    until(lambda: served(both), "members of all slices serve, on both nodes, in both families")
    tap.equal(shards(), 2, "the pool of each family has a shard for its second slice")
    for gone, left in (("web-2", "web-1"), ("web-1", "web-2")):
        for f in families:
            cp.api.delete(f"{own}/many-{f}-{gone}")
        until(lambda left=left: served({f"default/{left}"}), f"without the slices of {gone} it is {left} alone that serves")
        for f in families:
            cp.api.post(own, slice_of(f, gone))
        until(lambda: served(both), "and with them both")
    cp.api.delete("/api/v1/namespaces/default/services/many")
    for name in ("web-1", "web-2"):
        for f in families:
            cp.api.delete(f"{own}/many-{f}-{name}")
    until(lambda: not shards(), "the shards go with the service")


def policies():
    cp.api.post("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"}, "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}]}})
    closed = nodes[2].drops("sg-ingress")
    until(lambda: world.ask(pods["other"], "tcp", pods["web-2"].v4, 8080, 2) is None and nodes[2].drops("sg-ingress") > closed,
          "a policy closes web to others")
    tap.equal(ask(pods["client"], pods["web-2"].v4, 8080), "default/web-2", "and not to its client")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/web")
    until(lambda: world.ask(pods["other"], "tcp", pods["web-2"].v4, 8080, 2) == "default/web-2", "without it all are served")


def isolation():
    cp.namespace("bank")
    for name in ("safe",):
        make_pod(name, "bank")
        run_pod(name, "bank")
    tap.equal(ask(pods["client"], pods["safe"].v4, 8080), "bank/safe", "a pod of another namespace is reached")
    cp.api.patch("/api/v1/namespaces/bank", {"metadata": {"annotations": {"opencontrail.org/isolation": "true"}}})
    until(lambda: world.ask(pods["client"], "tcp", pods["safe"].v4, 8080, 2) is None, "isolated it is not")
    tap.equal(ask(hosts[1], pods["safe"].v4, 8080), "bank/safe", "but by its node")
    cp.api.patch("/api/v1/namespaces/bank", {"metadata": {"annotations": {"opencontrail.org/isolation": None}}})
    until(lambda: world.ask(pods["client"], "tcp", pods["safe"].v4, 8080, 2) == "bank/safe", "and back")


def faults():
    """The data path goes on without anybody, and all catch up afterwards."""
    stream, addr = Stream(pods["client"], pods["web-2"], WAIT), vips("web")[0]
    both = {"default/web-1", "default/web-2"}
    cluster.kill_manager()
    tap.check(stream.talks(WAIT) and who(pods["client"], addr) == both, "the manager killed: connections live, new ones come")
    cluster.start_manager()
    cp.kill("kube-apiserver")
    tap.check(stream.talks(WAIT) and who(pods["client"], addr) == both, "the API server killed: the same")
    nodes[1].kill_daemon(signal.SIGKILL)
    tap.check(stream.talks(WAIT) and who(pods["client"], addr) == both, "a daemon killed, too: the same")
    nodes[1].start_daemon()
    tap.check(stream.talks(WAIT) and who(pods["client"], addr) == both, "it starts without an API server: the same")
    cp.start_apiserver()
    pods["web-1"].detach()
    cp.kubectl("delete", "pod", "web-1", "--grace-period=0", "--force")
    until(lambda: who(pods["client"], addr) == {"default/web-2"}, "a pod that goes leaves the service on both nodes")
    until(lambda: who(pods["other"], addr) == {"default/web-2"}, "on the other one, too")
    tap.check(stream.talks(WAIT), "and the connection still lives")


set_up()
CASES = (pods_run, blocks, services, slices, policies, isolation, faults)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
if tap.failed:
    tap.say(cluster.logs())
cluster.stop()
tap.done()
