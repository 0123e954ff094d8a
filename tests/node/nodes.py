#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Three nodes as an operator has them: manager, a daemon on each, pods on each; what crosses
nodes in service.go, networking.go and network_policy.go, and nodes that come and go.
"""

import collections
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric, run
from vrtest.node import (SLOW, VrctlError, load_module, namespace_manifest, node_manifest, pod_manifest, policy,
                         service, unload_module)
from vrtest.probe import Probe, World, family_of
from vrtest.prom import Metrics
from vrtest.tap import Tap, wait_for
from vrtest.wired import Place

tap = Tap("nodes")
world = World()
fabric = Fabric(3, args=("--encap", "vxlan", "--external", "--healthz", "[::]:10256"))
nodes = fabric.nodes
WAIT = 10 * SLOW
PORTS = [("http", 8080, "TCP"), ("dns", 8053, "UDP"), ("sig", 8090, "SCTP")]
EXTERNAL_IP = ("198.51.100.7", "2001:db8:100::7")
BALANCER_IP = ("203.0.113.9", "2001:db8:300::9")
ON = {"web-1": 1, "web-2": 2, "web-3": 3, "client": 1, "other": 2}
FAMILIES = ((4, 0), (6, 1))
pods, hosts = {}, {}


def pod_objects(**moved):
    on = {**ON, **{k.replace("_", "-"): v for k, v in moved.items()}}
    return [pod_manifest("default", name, {"app": name.split("-", maxsplit=1)[0]}, PORTS, node=f"node{n}")
            for name, n in on.items() if n]


def set_up():
    nodes[1].apply("10-namespaces", [namespace_manifest("default")])
    nodes[1].apply("20-pods", pod_objects())
    nodes[1].apply("30-services", [service("default", "web", [(80, 8080, "TCP"), (53, 8053, "UDP"),
                                                             (90, 8090, "SCTP")], {"app": "web"})])
    for name, n in ON.items():
        pods[name] = nodes[n].pod("default", name)
    fabric.sync()
    for pod in pods.values():
        for _, port, proto in PORTS:
            world.serve(pod, proto.lower(), port)
    for n, node in nodes.items():
        hosts[n] = Place(node.ns, f"host{n}", node.addrs)
        for proto in ("tcp", "udp"):
            world.serve(hosts[n], proto, 9100)


def ask(src, proto, addr, port):
    return world.ask(src, proto, addr, port, seconds=WAIT)


def programmed():
    """What each node is told is in an order that the kernel takes at once."""
    tap.check("refuses" not in fabric.logs(), "nothing was refused on the way", fabric.logs())


def pod_to_pod():
    """networking.go: pods reach each other, on the same node and on others, by TCP, UDP, SCTP."""
    for family, i in FAMILIES:
        for name in ("web-1", "web-2", "web-3"):
            addr = pods[name].addr(family)
            for _, port, proto in PORTS:
                tap.equal(ask(pods["client"], proto.lower(), addr, port), f"default/{name}",
                          f"client to {name}: {proto} (IPv{family})")
            res = pods["client"].ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), addr], check=False)
            tap.check(res.returncode == 0, f"client pings {name} (IPv{family})", res.stdout)
    link = json.loads(pods["client"].ns.run(["ip", "-j", "link", "show", "eth0"]).stdout)
    tap.equal(link[0]["mtu"], 1450, "a pod's MTU is what the tunnel leaves")


def cluster_ip():
    """service.go: members on all nodes serve; they see the client's own address."""
    for family, _ in FAMILIES:
        vip = nodes[1].vip("default", "web", family)
        for src in ("client", "other"):
            world.seen.clear()
            got = collections.Counter(world.run([Probe(pods[src], "tcp", vip, 80) for _ in range(60)], seconds=WAIT))
            tap.check(set(got) == {"default/web-1", "default/web-2", "default/web-3"} and min(got.values()) >= 5,
                      f"{src}: members of all nodes answer (IPv{family})", got)
            tap.equal({c for _, c in world.seen}, {pods[src].addr(family)}, f"{src}: and see its own address")
        tap.check(str(ask(pods["client"], "udp", vip, 53)).startswith("default/web"), f"UDP (IPv{family})")
        tap.check(str(ask(pods["client"], "sctp", vip, 90)).startswith("default/web"), f"SCTP (IPv{family})")


def host():
    """networking.go, node-pod communication; kubelet's probes; a service from a node."""
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        for n in (1, 2):
            tap.equal(ask(hosts[n], "tcp", pods["web-1"].addr(family), 8080), "default/web-1", f"node{n} to web-1 {v}")
            tap.equal(ask(pods["client"], "tcp", hosts[n].addr(i), 9100), f"host{n}", f"client to node{n} {v}")
            tap.equal(ask(pods["client"], "udp", hosts[n].addr(i), 9100), f"host{n}", f"client to node{n}, UDP {v}")
            got = world.run([Probe(hosts[n], "tcp", nodes[1].vip("default", "web", family), 80) for _ in range(12)],
                            seconds=WAIT)
            tap.check(all(str(g).startswith("default/web") for g in got), f"node{n} to the service {v}", got)


def across_policy():
    """network_policy.go across nodes: by pod, and the receiver's node judges."""
    nodes[1].apply("40-policy", [policy("default", "web", {"matchLabels": {"app": "web"}},
                                       ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}])])
    fabric.sync()
    for family, _ in FAMILIES:
        for name, n in (("web-1", 1), ("web-2", 2), ("web-3", 3)):
            addr = pods[name].addr(family)
            tap.equal(ask(pods["client"], "tcp", addr, 8080), f"default/{name}", f"client may: {name} (IPv{family})")
            before = nodes[n].drops("sg-ingress")
            world.run([Probe(pods["other"], "tcp", addr, 8080)], until=lambda n=n, b=before: nodes[n].drops("sg-ingress") > b,
                      seconds=WAIT)
            tap.check(nodes[n].drops("sg-ingress") > before, f"other may not: {name} (IPv{family})")
        tap.equal(ask(hosts[3], "tcp", pods["web-3"].addr(family), 8080), "default/web-3",
                  f"a node reaches its own pod in spite of it (IPv{family})")
    nodes[1].delete("40-policy")
    fabric.sync()
    tap.equal(ask(pods["other"], "tcp", pods["web-3"].v4, 8080), "default/web-3", "without the policy all may")


def web(**spec):
    ports = [(80, 8080, "TCP"), (53, 8053, "UDP"), (90, 8090, "SCTP")]
    obj = service("default", "web", ports, {"app": "web"}, type="NodePort", externalIPs=list(EXTERNAL_IP), **spec)
    for port in obj["spec"]["ports"]:
        port["nodePort"] = 30000 + port["port"]
    return obj


def node_port():
    """service.go: NodePort and externalIPs from outside, on every node, for both policies."""
    outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
    nodes[1].apply("30-services", [web()])
    fabric.sync()
    for family, i in FAMILIES:
        v = f"(IPv{family})"
        for n in (1, 2, 3):
            got = collections.Counter(world.run([Probe(outside, "tcp", hosts[n].addr(i), 30080) for _ in range(40)],
                                                seconds=WAIT))
            tap.check(set(got) == {"default/web-1", "default/web-2", "default/web-3"},
                      f"node port of node{n}: members of all nodes answer {v}", got)
        tap.check(str(ask(outside, "udp", hosts[2].addr(i), 30053)).startswith("default/web"), f"by UDP {v}")
        fabric.outside.run(["ip", "route", "replace", EXTERNAL_IP[i], "via", hosts[3].addr(i)])
        tap.check(str(ask(outside, "tcp", EXTERNAL_IP[i], 80)).startswith("default/web"), f"external address {v}")
        tap.check(str(ask(pods["client"], "tcp", EXTERNAL_IP[i], 80)).startswith("default/web"), f"from a pod, too {v}")
        for n in (1, 2, 3):
            world.seen.clear()
            tap.check(str(ask(pods["client"], "tcp", hosts[n].addr(i), 30080)).startswith("default/web"),
                      f"a pod reaches the port of node{n} {v}")
            tap.equal([c for _, c in world.seen], [pods["client"].addr(family)], f"and is seen as itself {v}")
            tap.equal(ask(pods["client"], "tcp", hosts[n].addr(i), 9100), f"host{n}",
                      f"other ports of node{n} are its own {v}")
        tap.check(str(ask(hosts[1], "tcp", hosts[1].addr(i), 30080)).startswith("default/web"),
                  f"and the node itself {v}")
    nodes[1].apply("30-services", [web(externalTrafficPolicy="Local")])
    fabric.sync()
    for family, i in FAMILIES:
        for n in (1, 2, 3):
            world.seen.clear()
            got = set(world.run([Probe(outside, "tcp", hosts[n].addr(i), 30080) for _ in range(10)], seconds=WAIT))
            tap.equal(got, {f"default/web-{n}"}, f"externalTrafficPolicy Local: only node{n}'s own (IPv{family})")
            tap.equal({c for _, c in world.seen}, {outside.addr(i)}, "and it sees the client's address")
    nodes[1].apply("30-services", [web(internalTrafficPolicy="Local")])
    fabric.sync()
    got = set(world.run([Probe(pods["other"], "tcp", nodes[2].vip("default", "web"), 80) for _ in range(10)], seconds=WAIT))
    tap.equal(got, {"default/web-2"}, "internalTrafficPolicy Local: only the sender's node's own")
    nodes[1].apply("30-services", [web()])
    fabric.sync()


def balanced(*ranges, **spec):
    obj = web(**spec)
    obj["spec"].update(type="LoadBalancer", loadBalancerSourceRanges=list(ranges))
    obj["status"] = {"loadBalancer": {"ingress": [{"ip": a} for a in BALANCER_IP]}}
    return obj


def not_served(node, src, addr, what):
    before = node.drops("vip-source")
    world.run([Probe(src, "tcp", addr, 80)], until=lambda: node.drops("vip-source") > before, seconds=WAIT)
    tap.check(node.drops("vip-source") > before, what)


def udp_flow(src, addr, port):
    """A socket whose flow has been answered once."""
    with src.ns:
        sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((addr, port))
    sock.send(b"who")
    wait_for(lambda: world.step() or select.select([sock], [], [], 0)[0], "an answer", WAIT)
    sock.recv(100)
    return sock


def source_ranges():
    """loadbalancer.go: should only allow access from service loadbalancer source ranges."""
    outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
    served = lambda src, addr: str(ask(src, "tcp", addr, 80)).startswith("default/web")
    both = [f"{a}/{bits}" for who in (outside.addr, lambda i: pods["client"].addr((4, 6)[i]))
            for i, bits in ((0, 32), (1, 128)) for a in [who(i)]]
    nodes[1].apply("30-services", [balanced(*(f"100.{64 + n // 256}.{n % 256}.0/24" for n in range(1000)), *both)])
    fabric.sync()
    tap.equal([s["rules"] for s in nodes[1].vrctl("sg", "show") if s.get("label") == "default/web@sources"], [1004],
              "ranges become a group")
    for family, i in FAMILIES:
        v, addr = f"(IPv{family})", BALANCER_IP[i]
        fabric.outside.run(["ip", "route", "replace", addr, "via", hosts[3].addr(i)])
        tap.check(served(outside, addr), f"a client outside, in the ranges {v}")
        tap.check(served(pods["client"], addr), f"a pod in the ranges {v}")
        not_served(nodes[2], pods["other"], addr, f"a pod that is not in them {v}")
        not_served(nodes[3], hosts[3], addr, f"a node that is not in them {v}")
        tap.check(served(pods["other"], EXTERNAL_IP[i]), f"external addresses serve all {v}")
        tap.check(served(pods["other"], nodes[1].vip("default", "web", family)), f"and so do cluster addresses {v}")
    flows = [udp_flow(pods["client"], addr, 53) for addr in BALANCER_IP]
    nodes[1].apply("30-services", [balanced("10.255.0.0/16", "fd00:ffff::/32")])
    fabric.sync()
    for sock in flows:
        before = nodes[1].drops("vip-source")
        sock.send(b"who")
        wait_for(lambda b=before: nodes[1].drops("vip-source") > b, "vip-source", WAIT)
        tap.check(True, "a flow under way ends where its ranges do")
        sock.close()
    for family, i in FAMILIES:
        not_served(nodes[3], outside, BALANCER_IP[i], f"other ranges, and the client is out of them (IPv{family})")
        not_served(nodes[1], pods["client"], BALANCER_IP[i], f"as is the pod (IPv{family})")
    nodes[1].apply("30-services", [balanced("10.255.0.0/16")])
    fabric.sync()
    not_served(nodes[3], outside, BALANCER_IP[0], "ranges of IPv4 only")
    tap.check(served(outside, BALANCER_IP[1]), "say nothing of IPv6")
    nodes[1].apply("30-services", [balanced()])
    fabric.sync()
    for family, i in FAMILIES:
        tap.check(served(outside, BALANCER_IP[i]) and served(pods["other"], BALANCER_IP[i]), f"no ranges, all are served (IPv{family})")
    tap.check(not any(s.get("label", "").endswith("@sources") for s in nodes[3].vrctl("sg", "show")), "their group went")
    nodes[1].apply("30-services", [web()])
    fabric.sync()


def curl(addr, port, *args):
    """(status, weight, JSON) of an answer from outside; status 0: no connection."""
    host = f"[{addr}]" if ":" in addr else addr
    out = fabric.outside.run(["curl", "-s", "-g", "-m", str(WAIT), "-w", "\n%{http_code}\n%header{x-load-balancing-endpoint-weight}", *args,
                              f"http://{host}:{port}/healthz"], check=False).stdout
    body, status, weight = out.rsplit("\n", 2)
    return int(status), weight, json.loads(body) if body.startswith("{") else None


def health_check():
    """loadbalancer.go, ESIPP: the health-check node port tells which nodes have members of their own."""
    local = balanced(externalTrafficPolicy="Local", healthCheckNodePort=32123)
    nodes[1].apply("30-services", [local])
    fabric.sync()
    for family, i in FAMILIES:
        for n in (1, 2, 3):
            status, weight, body = curl(hosts[n].addr(i), 32123)
            tap.equal((status, weight), (200, "1"), f"node{n} has a member (IPv{family})")
            tap.equal((body["service"], body["localEndpoints"]), ({"namespace": "default", "name": "web"}, 1), "and says so")
    unready = pod_objects()
    for pod in unready:
        if pod["metadata"]["name"] == "web-3":
            pod["status"] = {"conditions": [{"type": "Ready", "status": "False"}]}
    nodes[1].apply("20-pods", unready)
    fabric.sync()
    status, weight, body = curl(hosts[3].addr(0), 32123)
    tap.equal((status, weight, body["localEndpoints"]), (503, "0", 0), "without a ready member: 503")
    tap.equal(curl(hosts[2].addr(1), 32123)[0], 200, "other nodes have theirs")
    nodes[1].apply("20-pods", pod_objects())
    fabric.sync()
    tap.equal(curl(hosts[3].addr(1), 32123)[0], 200, "and back")
    nodes[1].apply("30-services", [balanced(externalTrafficPolicy="Local", healthCheckNodePort=32124)])
    fabric.sync()
    tap.equal((curl(hosts[1].addr(0), 32123)[0], curl(hosts[1].addr(0), 32124)[0]), (0, 200), "the port changes")
    nodes[1].apply("30-services", [web()])
    fabric.sync()
    tap.equal(curl(hosts[1].addr(0), 32124)[0], 0, "and goes with the policy")


def node_health():
    """As kube-proxy's /healthz."""
    for i in (0, 1):
        status, _, body = curl(hosts[1].addr(i), 10256)
        tap.equal((status, body["nodeEligible"]), (200, True), f"a node in step (IPv{(4, 6)[i]})")
    tap.check(body["lastUpdated"].endswith("Z") and body["currentTime"] >= body["lastUpdated"], "and says since when", body)
    nodes[2].kill_daemon(signal.SIGKILL)
    tap.equal(curl(hosts[2].addr(0), 10256)[0], 0, "without the daemon nobody answers")
    nodes[2].start_daemon()
    fabric.sync()
    wait_for(lambda: curl(hosts[2].addr(0), 10256)[0] == 200, "node2 in step again", WAIT)


def node_metrics():
    """/metrics: what kube-proxy has, and what the kernel counts."""
    def scrape():
        res = fabric.outside.run(["curl", "-s", "-g", "-m", str(WAIT), f"http://{hosts[1].addr(0)}:10256/metrics"])
        return Metrics(res.stdout)

    before = scrape()
    for name in ("vrouter_kernel_up", "vrouter_programmed", "vrouter_feed_synced"):
        tap.equal(before.get(name), 1, name)
    tap.check(before.get("vrouter_sync_proxy_rules_duration_seconds_count") > 0, "reconciliations are timed")
    bounds = nodes[1].vrctl("limits", "show")
    bounds = bounds[0] if isinstance(bounds, list) else bounds
    for name in bounds["used"]:
        tap.equal(before.get("vrouter_limit", limit=name.replace("-", "_")), bounds[name], f"limit {name}")
    tap.equal(before.get("vrouter_in_use", limit="vifs"), len(nodes[1].vrctl("vif", "show")), "interfaces in use")
    tap.equal(ask(pods["client"], "tcp", pods["web-1"].addr(4), 8080), "default/web-1", "a connection")
    nodes[1].apply("30-services", [balanced()])
    fabric.sync()
    curl(hosts[1].addr(0), 10256)
    after = scrape()
    tap.check(after.get("vrouter_flows_created_total") > before.get("vrouter_flows_created_total"), "its flow is counted")
    tap.check(after.get("vrouter_sync_proxy_rules_service_changes_total") > before.get("vrouter_sync_proxy_rules_service_changes_total"),
              "a service changed")
    tap.equal(after.get("vrouter_sync_proxy_rules_service_changes_pending"), 0, "and the kernel has it")
    tap.equal(after.get("vrouter_healthz_total", code="200"), before.get("vrouter_healthz_total", code="200") + 1, "/healthz counted")
    name = "vrouter_network_programming_duration_seconds_count"
    nodes[1].apply("35-timed", [service("default", "timed", [(80, 8080, "TCP")], None), {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": {
            "name": "timed", "labels": {"kubernetes.io/service-name": "timed"}, "annotations": {
                "endpoints.kubernetes.io/last-change-trigger-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}},
        "ports": [{"port": 8080}], "endpoints": [{"addresses": [pods["web-1"].v4]}]}])
    fabric.sync()
    tap.equal(scrape().get(name) - after.get(name), 1, "from what changed members to the kernel: timed")
    nodes[1].apply("35-timed", [])
    nodes[1].apply("30-services", [web()])
    fabric.sync()


def to_outside():
    """networking.go: pods reach the outside, by their node's address."""
    outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
    servers = [world.serve(outside, proto, 9200) for proto in ("tcp", "udp")]
    for family, i in FAMILIES:
        for name, n in (("client", 1), ("web-3", 3)):
            for proto in ("tcp", "udp"):
                world.seen.clear()
                tap.equal(ask(pods[name], proto, outside.addr(i), 9200), "outside", f"{name}: {proto} (IPv{family})")
                tap.equal([c for _, c in world.seen], [hosts[n].addr(i)], "seen as its node")
    for sock in servers:
        world.remove(sock)


def underlay_mtu():
    """The underlay's MTU changes: the hosts' links and new pods follow, old pods are told."""
    fabric.mtu(1400)
    wait_for(lambda: "mtu 1350" in nodes[1].ns.run(["ip", "link", "show", "vrouter0"]).stdout, "vrouter0 follows", WAIT)
    for family, _ in FAMILIES:
        res = pods["client"].ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), "-M", "do", "-s", "1380",
                                     pods["web-2"].addr(family)], check=False)
        tap.check(res.returncode and "1350" in res.stdout + res.stderr, f"a pod is told (IPv{family})",
                  res.stdout + res.stderr)
        tap.equal(ask(pods["client"], "tcp", pods["web-2"].addr(family), 8080), "default/web-2", "and TCP goes on")
    fabric.mtu(1500)
    wait_for(lambda: "mtu 1450" in nodes[1].ns.run(["ip", "link", "show", "vrouter0"]).stdout, "and back", WAIT)


def logical_router(**spec):
    return {"apiVersion": "opencontrail.org/v1", "kind": "LogicalRouter", "metadata": {"name": "out", "namespace": "default"},
            "spec": {"network": "cluster-network", **spec}}


def egress():
    """A network's own addresses to the outside; destinations that see the pods'; pods that are reached from there."""
    outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
    own = ("192.0.2.101", "2001:db8::101")
    servers = [world.serve(outside, proto, 9200) for proto in ("tcp", "udp")]
    for addr, bits in zip(own, (24, 64)):
        nodes[1].ns.run(["ip", "addr", "add", f"{addr}/{bits}", "dev", "eth0", *(["nodad"] if ":" in addr else [])])

    def seen(name, i):
        world.seen.clear()
        for proto in ("tcp", "udp"):
            tap.equal(ask(pods[name], proto, outside.addr(i), 9200), "outside", f"{name} gets outside: {proto} (IPv{4 + 2 * i})")
        return {c for _, c in world.seen}

    nodes[1].apply("50-router", [logical_router(snat={"addresses": list(own), "nodes": ["node1"]})])
    fabric.sync()
    for family, i in FAMILIES:
        tap.equal(seen("client", i), {own[i]}, f"from the node that has it: the network's own address (IPv{family})")
        tap.equal(seen("web-3", i), {hosts[3].addr(i)}, f"from another: the node's (IPv{family})")
        pod = pods["client"].addr(family)
        tap.check(ask(outside, "tcp", pod, 8080) in ("unreachable", None), f"pods are not reached from outside (IPv{family})")
    nodes[1].apply("50-router", [logical_router(nonMasqueradeCIDRs=[f"{outside.addr(0)}/32", f"{outside.addr(1)}/128"],
                                                reachable=True)])
    fabric.sync()
    for family, i in FAMILIES:
        pod = pods["client"].addr(family)
        fabric.outside.run(["ip", "route", "add", pod, "via", hosts[1].addr(i)])
        tap.equal(seen("client", i), {pod}, f"a destination that sees the pod's address (IPv{family})")
        world.seen.clear()
        tap.equal(ask(outside, "tcp", pod, 8080), "default/client", f"reached from outside by its own address (IPv{family})")
        tap.equal({c for _, c in world.seen}, {outside.addr(i)}, "and sees who asks")
        fabric.outside.run(["ip", "route", "del", pod, "via", hosts[1].addr(i)])
    nodes[1].delete("50-router")
    fabric.sync()
    for family, i in FAMILIES:
        tap.equal(seen("client", i), {hosts[1].addr(i)}, f"without it, the node's address (IPv{family})")
    before = nodes[1].drops("blackhole")
    world.run([Probe(pods["client"], "udp", "169.254.169.254", 80)], until=lambda: nodes[1].drops("blackhole") > before, seconds=WAIT)
    tap.check(nodes[1].drops("blackhole") > before, "link-local addresses outside are not the pods'")
    for nobody in ("10.47.255.9", "fd00:32::ffff:9"):
        before = nodes[1].drops("blackhole")
        world.run([Probe(pods["client"], "udp", nobody, 80)], until=lambda: nodes[1].drops("blackhole") > before, seconds=WAIT)
        tap.check(nodes[1].drops("blackhole") > before, f"{nobody}, a pod's address that nobody has, is not outside")
    for addr, bits in zip(own, (24, 64)):
        nodes[1].ns.run(["ip", "addr", "del", f"{addr}/{bits}", "dev", "eth0"])
    for sock in servers:
        world.remove(sock)


def link_local():
    """A service of each node's own, at a link-local address; others of these lead nowhere."""
    spec = [("ll-udp", "UDP", 53, 9100), ("ll-tcp", "TCP", 53, 9100)]
    nodes[1].apply("60-link-local", [
        {"apiVersion": "opencontrail.org/v1", "kind": "LinkLocalService", "metadata": {"name": name},
         "spec": {"address": "169.254.20.10", "protocol": proto, "port": port, "nodePort": node_port}}
        for name, proto, port, node_port in spec])
    fabric.sync()
    for name, n in (("client", 1), ("other", 2)):
        for proto in ("udp", "tcp"):
            world.seen.clear()
            tap.equal(ask(pods[name], proto, "169.254.20.10", 53), f"host{n}", f"{name} reaches its own node's, {proto}")
            tap.equal({c for _, c in world.seen}, {pods[name].v4}, "which sees the pod's address")
    nodes[1].delete("60-link-local")
    fabric.sync()
    before = nodes[1].drops("blackhole")
    world.run([Probe(pods["client"], "udp", "169.254.20.10", 53)], until=lambda: nodes[1].drops("blackhole") > before, seconds=WAIT)
    tap.check(nodes[1].drops("blackhole") > before, "without it the address leads nowhere")


def segment_size():
    """The option for networks that lose ICMP: SYNs ask for no more than the bound."""
    def agreed(src, addr):
        with src.ns:
            sock = socket.socket(family_of(addr), socket.SOCK_STREAM)
        with sock:
            sock.settimeout(WAIT)
            sock.connect((addr, 8080))
            return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)

    timestamps = 12
    for family, header in ((4, 40), (6, 60)):
        tap.equal(agreed(pods["client"], pods["web-2"].addr(family)), 1450 - header - timestamps,
                  f"unbounded it is what the MTU leaves (IPv{family})")
        nodes[1].vrctl("limits", "set", "tcp-mss", 1000)
        tap.equal(agreed(pods["client"], pods["web-2"].addr(family)), 1000 - timestamps, f"and with a bound that (IPv{family})")
        tap.equal(agreed(pods["web-2"], pods["client"].addr(family)), 1000 - timestamps,
                  f"in the other direction, too (IPv{family})")
        nodes[1].vrctl("limits", "set", "tcp-mss", 65535)
    try:
        nodes[1].vrctl("limits", "set", "tcp-mss", 100)
        refusal = None
    except VrctlError as err:
        refusal = str(err)
    tap.check(refusal and "536" in refusal, "nonsense is refused", refusal)


def trace():
    text = nodes[1].ns.run([f"{os.environ['VROUTER_BUILD']}/vrctl", "trace", "vif", "default/client", "src",
                            pods["client"].v4, "dst", pods["web-3"].v4, "proto", "tcp", "dport", "8080"], check=False).stdout
    for what, want in (("tunnel", ["Node/node2", "Node/node3"]), ("snat", ["Node/external"]), ("host", ["Node/node1"])):
        tap.equal(sorted(o["label"] for o in nodes[1].vrctl(what, "show")), want, f"vrctl {what} show")
    tap.check("Node/node3" in text and "VNI 4096" in text, "vrctl trace tells the way to another node", text)


def daemon_restart():
    """A daemon that is killed and started again changes nothing of the tunnels."""
    before = nodes[2].vrctl("nexthop", "show"), nodes[2].vrctl("route", "show"), nodes[2].vrctl("vif", "show")
    nodes[2].kill_daemon(signal.SIGKILL)
    tap.equal(ask(pods["client"], "tcp", pods["web-2"].v4, 8080), "default/web-2", "without its daemon a node goes on")
    nodes[2].start_daemon()
    fabric.sync()
    after = nodes[2].vrctl("nexthop", "show"), nodes[2].vrctl("route", "show"), nodes[2].vrctl("vif", "show")
    key = lambda objects: [{k: v for k, v in o.items() if k in ("id", "label", "type", "remote", "dst", "nexthop", "vni")}
                           for o in objects if not o.get("label", "").startswith("vr-sync/")]
    for what, was, now in zip(("next hops", "routes", "vifs"), before, after):
        tap.equal(key(now), key(was), f"the restarted daemon leaves {what} as they were")


def port_range():
    """Ports of the node's own connections and of SNAT overlap: whoever set it so is told."""
    tap.check("ip_local_port_range" not in nodes[3].logs(), "by default they do not")
    nodes[3].kill_daemon()
    nodes[3].ns.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 62000"])
    nodes[3].start_daemon()
    wait_for(lambda: "ip_local_port_range is 32768 to 62000" in nodes[3].logs(), "the log says so", WAIT)
    tap.check(True, "an overlap is told")
    nodes[3].ns.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 60999"])
    fabric.sync()


def node_lost():
    """A node that is not reached is told in the log, once, and is back when it is."""
    def told():
        return run(["dmesg"]).stdout.count("(Node/node2): the underlay does not reach it")

    nodes[2].ns.run(["ip", "link", "set", "eth0", "down"])
    # or the neighbour would be believed to be there for up to a minute
    nodes[1].ns.run(["ip", "neigh", "flush", "dev", "eth0"])
    ping = pods["client"].ns.popen(["ping", "-n", "-q", "-i", "0.2", pods["web-2"].v4], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(told, "the log names the node", 30 * SLOW)
    nodes[2].ns.run(["ip", "link", "set", "eth0", "up"])
    nodes[2].ns.run(["ip", "-6", "addr", "replace", f"{nodes[2].addrs[1]}/64", "dev", "eth0", "nodad"])
    for family, gateway in (("-4", "192.0.2.254"), ("-6", "2001:db8::254")):
        nodes[2].ns.run(["ip", family, "route", "replace", "default", "via", gateway, "dev", "eth0"])
    wait_for(lambda: ask(pods["client"], "tcp", pods["web-2"].v4, 8080) == "default/web-2", "it is back", 30 * SLOW)
    ping.kill()
    ping.wait()
    tap.check(told() <= 2, "not for each packet", told())


def node_readdressed():
    """A node gets another address: its peers follow."""
    nodes[3].ns.run(["ip", "addr", "del", "192.0.2.3/24", "dev", "eth0"])
    nodes[3].ns.run(["ip", "addr", "add", "192.0.2.33/24", "dev", "eth0"])
    nodes[3].ns.run(["ip", "route", "add", "default", "via", "192.0.2.254", "dev", "eth0"])
    nodes[1].apply("00-node3", [node_manifest("node3", ("192.0.2.33", nodes[3].addrs[1]))])
    fabric.sync()
    tap.equal(ask(pods["client"], "tcp", pods["web-3"].v4, 8080), "default/web-3", "its pods are reached by it")
    tap.equal(ask(pods["web-3"], "tcp", pods["web-1"].v4, 8080), "default/web-1", "and reach others")
    text = nodes[3].ns.run(["ip", "-4", "addr", "show", "dev", "vrouter0"]).stdout
    tap.check("192.0.2.33/32" in text and "192.0.2.3/32" not in text, "vrouter0 has the new address, not the old", text)


def node_gone():
    """A node that is deleted: no tunnel, no routes to its pods; the others go on."""
    nodes[1].apply("20-pods", pod_objects(web_3=0))
    nodes[1].delete("00-node3")
    nodes[1].sync()
    wait_for(lambda: all("node3" not in n.get("label", "") for n in nodes[1].vrctl("nexthop", "show")),
             "the tunnel goes", WAIT)
    tap.check(all(r.get("label") not in ("default/web-3", "Node/node3") for r in nodes[1].vrctl("route", "show")),
              "its routes went")
    got = set(world.run([Probe(pods["client"], "tcp", nodes[1].vip("default", "web"), 80) for _ in range(20)], seconds=WAIT))
    tap.equal(got, {"default/web-1", "default/web-2"}, "the service goes on with the others")
    wait_for(lambda: curl(hosts[3].addr(1), 10256)[0] == 503, "node3's health", WAIT)
    tap.equal(curl(hosts[3].addr(1), 10256)[2]["nodeEligible"], False, "the node that was deleted is not eligible")


def module_reloaded():
    """The module goes under traffic of all kinds, and comes back: the daemons do the rest."""
    pings = [where.ns.popen(["ping", "-n", "-q", "-i", "0.01", "-s", "3000", to], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
             for where, to in ((pods["client"], pods["web-2"].v4), (pods["web-2"], pods["client"].v6),
                               (pods["client"], "192.0.2.254"), (hosts[1], pods["web-2"].v4))]
    vip = nodes[1].vip("default", "web")
    unload_module()
    tap.check(all(n.ns.run(["ip", "link", "show", "vrouter0"], check=False).returncode for n in nodes.values()),
              "the hosts' links went with the module")
    load_module()
    for n in (1, 2):
        nodes[n].sync(60)
    wait_for(lambda: ask(pods["client"], "tcp", vip, 80) in ("default/web-1", "default/web-2"),
             f"the service is back\n{fabric.logs()}", 30 * SLOW)
    tap.equal(ask(pods["client"], "tcp", pods["web-2"].v4, 8080), "default/web-2", "tunnels are back")
    tap.equal(ask(hosts[1], "tcp", pods["web-2"].v4, 8080), "default/web-2", "and the hosts' links")
    for ping in pings:
        ping.kill()
        ping.wait()


set_up()
CASES = (programmed, pod_to_pod, cluster_ip, host, across_policy, node_port, source_ranges, health_check, node_health, node_metrics, to_outside, egress, link_local, segment_size,
         underlay_mtu, trace, daemon_restart, port_range, node_lost, node_readdressed, node_gone,
         module_reloaded)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
tap.done()
