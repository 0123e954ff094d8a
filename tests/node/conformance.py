#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The cases of Kubernetes' e2e suite that need two nodes, or a node and somebody outside. Each is
named after its case: the file in test/e2e/network, then what it is about there.
"""

import contextlib
import os
import select
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.cluster import ON_API, eventually, fabric_of
from vrtest.kube import PATIENCE
from vrtest.kube_api import MERGE, ApiError
from vrtest.node import SLOW, namespace_manifest, node_manifest, pod_manifest, service
from vrtest.probe import Probe, World, family_of
from vrtest.tap import Tap, wait_for
from vrtest.wired import Place

tap = Tap("conformance")
world = World()
fabric = fabric_of(2)
nodes = fabric.nodes
WAIT = 10 * SLOW
HTTP, DNS, HOSTS = 8080, 8053, 9100
PORTS = [("http", HTTP, "TCP"), ("dns", DNS, "UDP")]
ON = {"web-1": 1, "web-2": 2, "client": 1, "other": 2}
BOTH = {"default/web-1", "default/web-2"}
WEB = {"app": "web"}
FAMILIES = ((4, 0), (6, 1))
READY = {}
NOT_READY = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}}
TERMINATING = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
UNREADY_TERMINATING = {**NOT_READY, **TERMINATING}
pods, hosts, servers, known = {}, {}, {}, {}
PODS = "/api/v1/namespaces/default/pods"
outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))


# --- the cluster ---------------------------------------------------------------------------

def serve(name):
    """A pod comes: it is attached, and serves."""
    pods[name] = nodes[ON[name]].pod("default", name)
    servers[name] = [world.serve(pods[name], "tcp", HTTP), world.serve(pods[name], "udp", DNS)]


def leave(name):
    """It goes, as its kubelet would have it go."""
    path = f"{PODS}/{name}"
    if fabric.cp.api.find(path):
        fabric.cp.api.delete(path, grace=0)
    for sock in servers.pop(name, ()):
        world.remove(sock)
    pods.pop(name).delete()
    nodes[ON[name]].pods.pop(f"default/{name}")


def kubelets(states):
    """The same on an API server, where a pod's end is for good: it is another one that comes then."""
    for name, n in ON.items():
        want, had = states.get(name.replace("-", "_"), READY), known.get(name)
        known[name] = want
        if want is had:
            continue
        if name in pods and (want is None or "metadata" in had):
            leave(name)
        if want is None:
            continue
        if name not in pods:
            fabric.cp.pod("default", name, f"node{n}", {"app": name.split("-", maxsplit=1)[0]}, ports=[HTTP, DNS])
            serve(name)
        fabric.cp.pod_status("default", name, pods[name].addresses, ready="status" not in want)
        if "metadata" in want:
            fabric.cp.api.delete(f"{PODS}/{name}", grace=3600)


def host_pods():
    for n, node in nodes.items():
        obj = pod_manifest("default", f"host-{n}", {"app": "host"}, [("web", HOSTS, "TCP")], node=f"node{n}",
                           podIP=node.addrs[0], podIPs=[{"ip": a} for a in node.addrs])
        obj["spec"]["hostNetwork"] = True
        if ON_API:
            fabric.cp.pod("default", f"host-{n}", f"node{n}", {"app": "host"}, ports=[HOSTS], hostNetwork=True)
            fabric.cp.pod_status("default", f"host-{n}", node.addrs)
        yield obj


def manifests(states):
    for name, n in ON.items():
        state = states.get(name.replace("-", "_"), {})
        if state is None:
            continue
        obj = pod_manifest("default", name, {"app": name.split("-", maxsplit=1)[0]}, PORTS, node=f"node{n}",
                           **state.get("status", {}))
        obj["metadata"].update(state.get("metadata", {}))
        yield obj


def apply_pods(**states):
    """The pods in these states; None: the pod is not there."""
    if ON_API:
        kubelets(states)
    else:
        nodes[1].apply("20-pods", list(manifests(states)))
    fabric.sync()
    # a pod that is there again is heard when its policy is in place, a moment after the services
    for name, pod in pods.items():
        if states.get(name.replace("-", "_"), {}) is not None:
            wait_for(pod.is_up, f"{name}'s device is up", WAIT)


def web(*ports, selector=None, **spec):
    """A service of the web pods: 80/TCP and 53/UDP, when nothing is said."""
    ports = ports or ((80, HTTP, "TCP"), (53, DNS, "UDP"))
    obj = service("default", "web", ports, selector or WEB, **spec)
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        for port in obj["spec"]["ports"]:
            port["nodePort"] = 30000 + port["port"]
    return obj


def apply_services(*objects):
    nodes[1].apply("30-services", list(objects))
    fabric.sync()


def set_up():
    nodes[1].apply("10-namespaces", [namespace_manifest("default")])
    nodes[1].apply("20-hosts", [] if ON_API else list(host_pods()))
    apply_pods()
    if ON_API:
        list(host_pods())
    else:
        for name in ON:
            serve(name)
    for n, node in nodes.items():
        hosts[n] = Place(node.ns, f"host{n}", node.addrs)
        world.serve(hosts[n], "tcp", HOSTS)
    fabric.sync()


def drops():
    """By node and reason."""
    return {(f"node{n}", d["reason"]): d["packets"] for n, node in nodes.items() for d in node.vrctl("drops", "show")}


def vip(family=4):
    def found():
        with contextlib.suppress(AssertionError):
            return nodes[1].vip("default", "web", family)
        return None
    if ON_API:
        wait_for(found, "the service's address", PATIENCE)
    return nodes[1].vip("default", "web", family)


def expect(look, want, text):
    """What look() sees; on an API server, that it comes to see it."""
    def wrong():
        got = look()
        return None if got == want else f"got  {got!r}\nwant {want!r}"
    seen = eventually(wrong)
    tap.check(not seen, text, f"{seen}\ndropped so far: {drops()}" if seen else None)


def ask(src, addr, port, proto="tcp", **kw):
    return world.ask(src, proto, addr, port, seconds=WAIT, **kw)


def who(src, addr, port, count=40, proto="tcp", sport=0):
    """sport: the first client's port, those of the others follow; 0: any."""
    return set(world.run([Probe(src, proto, addr, port, sport + i if sport else 0) for i in range(count)], seconds=WAIT))


def silent(node, src, addr, port):
    """Nothing comes of it, because the node drops it for want of a member that may serve."""
    before = node.drops("no-member")
    got = world.run([Probe(src, "tcp", addr, port)], until=lambda: node.drops("no-member") > before, seconds=WAIT)[0]
    return got in (None, "refused") and node.drops("no-member") > before


def in_both(case):
    """A case by IPv4, then by IPv6."""
    def run():
        for family, i in FAMILIES:
            tap.name = f"conformance (IPv{family})"
            try:
                case(family, i)
            finally:
                tap.name = "conformance"
    run.__name__ = case.__name__
    return run


# --- service.go ------------------------------------------------------------------------------

def preserve_source():
    """service.go: preserve source pod IP for traffic thru service cluster IP."""
    apply_services(web())
    for family, _ in FAMILIES:
        world.seen.clear()
        expect(lambda: who(pods["client"], vip(family), 80), BOTH, f"service.go: members of both nodes serve (IPv{family})")
        tap.equal({c for _, c in world.seen}, {pods["client"].addr(family)},
                  f"service.go: preserve source pod IP through the cluster IP (IPv{family})")


@in_both
def change_type(family, i):
    """service.go: change the type, ClusterIP to NodePort and back, with TCP and UDP on one port."""
    ports = ((80, HTTP, "TCP", "a"), (80, DNS, "UDP", "b"))
    apply_services(web(*ports))
    addr = vip(family)
    expect(lambda: ask(outside, hosts[1].addr(i), 30080), "refused", "service.go: ClusterIP: no node port")
    apply_services(web(*ports, type="NodePort"))
    tap.equal(vip(family), addr, "service.go: the cluster IP stays when the type changes")
    for n in (1, 2):
        for proto in ("tcp", "udp"):
            expect(lambda: who(outside, hosts[n].addr(i), 30080, proto=proto), BOTH,
                      f"service.go: from ClusterIP to NodePort serving TCP and UDP on the same port, node{n}, {proto}")
    apply_services(web(*ports))
    expect(lambda: ask(outside, hosts[2].addr(i), 30080), "refused", "service.go: and back: none again")


@in_both
def external_name(family, i):
    """service.go: change the type from and to ExternalName."""
    ext = service("default", "web", [(80, HTTP, "TCP")], None, type="ExternalName", externalName="example.com")
    apply_services(ext)
    expect(lambda: ask(outside, hosts[1].addr(i), 30080), "refused", "service.go: ExternalName has no node port")
    apply_services(web(type="NodePort"))
    expect(lambda: who(outside, hosts[1].addr(i), 30080), BOTH, "service.go: from ExternalName to NodePort")
    apply_services(ext)
    expect(lambda: ask(outside, hosts[1].addr(i), 30080), "refused", "service.go: from NodePort to ExternalName")


def released_node_port():
    """service.go: release NodePorts on delete."""
    apply_services(web(type="NodePort"))
    expect(lambda: who(outside, hosts[1].addr(0), 30080), BOTH, "service.go: the node port serves")
    apply_services()
    server = world.serve(hosts[1], "tcp", 30080)
    for _, i in FAMILIES:
        expect(lambda: ask(outside, hosts[1].addr(i), 30080), "host1",
                  f"service.go: release NodePorts on delete: a process of the node has it (IPv{4 + 2 * i})")
    world.remove(server)


@in_both
def unready_terminating(family, i):
    """service.go: publishNotReadyAddresses, and pods that are unready and terminating."""
    for publish, want in ((True, BOTH), (False, {"refused"})):
        apply_services(web(type="NodePort", publishNotReadyAddresses=publish))
        apply_pods(web_1=UNREADY_TERMINATING, web_2=UNREADY_TERMINATING)
        text = "be able to connect to terminating and unready endpoints if PublishNotReadyAddresses is true" \
            if publish else "not be able to connect to them if it is false"
        expect(lambda: who(pods["client"], vip(family), 80), want, f"service.go: {text}: by the cluster IP")
        for n in (1, 2):
            expect(lambda: who(outside, hosts[n].addr(i), 30080), want, f"service.go: {text}: by node{n}'s port")
    apply_pods()


@in_both
def affinity(family, i):
    """service.go: session affinity for ClusterIP and NodePort: it works, times out, is switched."""
    sticky = {"sessionAffinity": "ClientIP"}
    short = {**sticky, "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 2}}}
    for kind, src, addr, port in (("ClusterIP", pods["client"], None, 80),
                                  ("NodePort", outside, hosts[2].addr(i), 30080)):
        apply_services(web(type=kind, **sticky))
        addr = addr or vip(family)
        first = ask(src, addr, port)
        expect(lambda: who(src, addr, port, 15), {first}, f"service.go: session affinity work for {kind} service")
        apply_services(web(type=kind))
        expect(lambda: who(src, addr, port), BOTH, f"service.go: be able to switch session affinity for {kind} service: off")
        apply_services(web(type=kind, **sticky))
        first = ask(src, addr, port)
        expect(lambda: who(src, addr, port, 15), {first}, "service.go: and on again")
        apply_services(web(type=kind, **short))
        first = ask(src, addr, port)
        wait_for(lambda a=addr, p=port, f=first, s=src: ask(s, a, p) != f, "another member", 60 * SLOW, step=2.5)
        tap.check(True, f"service.go: session affinity timeout work for {kind} service")


def no_endpoints():
    """service.go: be rejected when no endpoints exist."""
    apply_services(web(selector={"app": "nobody"}, type="NodePort"))
    for family, i in FAMILIES:
        expect(lambda: ask(pods["client"], vip(family), 80), "refused", f"service.go: be rejected, from a pod (IPv{family})")
        expect(lambda: ask(hosts[1], vip(family), 80), "refused", f"service.go: be rejected, from a node (IPv{family})")
        expect(lambda: ask(outside, hosts[1].addr(i), 30080), "refused", f"service.go: be rejected, from outside (IPv{family})")


def internal_local():
    """service.go: respect internalTrafficPolicy=Local."""
    apply_services(web(selector={"app": "other"}, internalTrafficPolicy="Local"))
    for family, _ in FAMILIES:
        v = f"(IPv{family})"
        expect(lambda: who(pods["web-2"], vip(family), 80), {"default/other"}, f"service.go: Local, pod to pod of the same node {v}")
        expect(lambda: silent(nodes[1], pods["client"], vip(family), 80), True, f"service.go: Local, not from a pod of another node {v}")
        expect(lambda: who(hosts[2], vip(family), 80), {"default/other"}, f"service.go: Local, pod (hostNetwork: true) to pod {v}")
        expect(lambda: silent(nodes[1], hosts[1], vip(family), 80), True, f"service.go: Local, nor from another node {v}")
    apply_services(web((80, HOSTS, "TCP"), selector={"app": "host"}, internalTrafficPolicy="Local"))
    for family, _ in FAMILIES:
        v = f"(IPv{family})"
        for name, n in (("client", 1), ("other", 2)):
            expect(lambda: who(pods[name], vip(family), 80, 10), {f"host{n}"},
                      f"service.go: Local, pod to pod (hostNetwork: true), node{n} {v}")
            expect(lambda: who(hosts[n], vip(family), 80, 10), {f"host{n}"},
                      f"service.go: Local, pod (hostNetwork: true) to pod (hostNetwork: true), node{n} {v}")


@in_both
def terminating_only(family, i):
    """service.go: fall back to terminating endpoints when there are no ready ones."""
    local_in, local_out = {"internalTrafficPolicy": "Local"}, {"externalTrafficPolicy": "Local"}
    everything = {"web_1": TERMINATING, "web_2": TERMINATING}
    apply_services(web(type="NodePort"))
    apply_pods(**everything)
    expect(lambda: who(pods["client"], vip(family), 80), BOTH, "service.go: fall back to terminating endpoints, internalTrafficPolicy=Cluster")
    expect(lambda: who(outside, hosts[1].addr(i), 30080), BOTH, "service.go: and externalTrafficPolicy=Cluster")
    apply_services(web(type="NodePort", **local_in))
    expect(lambda: who(pods["client"], vip(family), 80, 10), {"default/web-1"},
              "service.go: fall back to local terminating endpoints, internalTrafficPolicy=Local")
    apply_services(web(type="LoadBalancer", healthCheckNodePort=32200, **local_out))
    for n in (1, 2):
        expect(lambda: who(outside, hosts[n].addr(i), 30080, 10), {f"default/web-{n}"},
                  f"service.go: fall back to local terminating endpoints, externalTrafficPolicy=Local, node{n}")
    url = "http://" + ("[{}]" if family == 6 else "{}").format(hosts[1].addr(i)) + ":32200/healthz"
    argv = ["curl", "-sg", "-m", str(WAIT), "-o", "/dev/null", "-w", "%{http_code}", url]
    expect(lambda: fabric.outside.run(argv, check=False).stdout, "503", "service.go: fail health check node port if there are only terminating endpoints")
    apply_pods(web_2=None)
    expect(lambda: who(outside, hosts[1].addr(i), 30080, 10), {"default/web-1"}, "service.go: Local: the node that has the pod serves")
    expect(lambda: silent(nodes[2], outside, hosts[2].addr(i), 30080), True, "service.go: Local: the other one does not")
    apply_pods()


@in_both
def load_balancer(family, i):
    """service.go: a service of type LoadBalancer by its cluster IP; ports of both protocols, one removed."""
    apply_services(web((80, HTTP, "TCP", "a"), (80, DNS, "UDP", "b"), type="LoadBalancer"))
    for proto in ("tcp", "udp"):
        expect(lambda: who(pods["client"], vip(family), 80, proto=proto), BOTH,
                  f"service.go: serve endpoints on same port and different protocol for type LoadBalancer: {proto}")
    apply_services(web((80, DNS, "UDP", "b"), type="LoadBalancer"))
    expect(lambda: ask(pods["client"], vip(family), 80), "refused", "service.go: the protocol that was removed is refused")
    expect(lambda: who(pods["client"], vip(family), 80, proto="udp"), BOTH, "service.go: the other goes on")


# --- conntrack.go ------------------------------------------------------------------------------

class Sender:
    """One UDP socket with source port 12345 that keeps sending."""

    def __init__(self, src, addr, port):
        with src.ns:
            self.sock = socket.socket(family_of(addr), socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(("::" if ":" in addr else "0.0.0.0", 12345))
        self.to = (addr, port)

    def answer(self):
        """Who answers the next packet; None: nobody, or it was refused."""
        while select.select([self.sock], [], [], 0)[0]:
            try:
                self.sock.recv(100)
            except OSError:
                pass
        try:
            self.sock.sendto(b"who", self.to)
            for _ in range(20 * SLOW):
                world.step()
                if select.select([self.sock], [], [], 0)[0]:
                    return self.sock.recv(100).decode()
        except OSError:
            pass
        return None

    def close(self):
        self.sock.close()


@in_both
def udp_moves(family, i):
    """conntrack.go: be able to preserve UDP traffic when server pod cycles."""
    local = {"internalTrafficPolicy": "Local"}
    for what, src, addr, port, spec in (
            ("for a NodePort service", outside, hosts[1].addr(i), 30053, {"type": "NodePort"}),
            ("for a ClusterIP service", pods["client"], None, 53, {}),
            ("when client is hostNetwork", hosts[1], None, 53, {})):
        apply_pods(web_2=None)
        apply_services(web(**spec))
        sender = Sender(src, addr or vip(family), port)
        expect(sender.answer, "default/web-1", f"conntrack.go: preserve UDP traffic {what}: before")
        apply_pods(web_1=None)
        expect(sender.answer, "default/web-2", "conntrack.go: when the server pod cycles: its next packet gets there")
        sender.close()
    # of the same node only: another of its pods takes over
    apply_pods()
    apply_services(web(selector={"app": "web"}, **local))
    sender = Sender(pods["client"], vip(family), 53)
    expect(sender.answer, "default/web-1", "conntrack.go: preserve UDP traffic for a ClusterIP service, internalTrafficPolicy Local")
    apply_services(web(selector={"app": "client"}, **local))
    expect(sender.answer, "default/client", "conntrack.go: when the server pod cycles: its next packet gets there")
    sender.close()
    apply_services(web())
    apply_pods(web_1=NOT_READY, web_2=NOT_READY)
    sender = Sender(pods["client"], vip(family), 53)
    expect(sender.answer, None, "conntrack.go: preserve UDP traffic when initial unready endpoints get ready: before")
    apply_pods(web_1=NOT_READY)
    expect(sender.answer, "default/web-2", "conntrack.go: and after")
    sender.close()
    apply_pods()


# --- networking.go ------------------------------------------------------------------------------

def granular():
    """networking.go, granular checks: pods, nodes and who is outside to services, HTTP and UDP."""
    apply_services(web(type="NodePort"))
    for family, i in FAMILIES:
        for name, port, proto in (("http", 80, "tcp"), ("udp", 53, "udp")):
            v = f"{name} (IPv{family})"
            expect(lambda: who(pods["client"], vip(family), port, proto=proto), BOTH, f"networking.go: pod-Service: {v}")
            expect(lambda: who(hosts[2], vip(family), port, proto=proto), BOTH, f"networking.go: node-Service: {v}")
            expect(lambda: who(pods["web-1"], vip(family), port, proto=proto), BOTH, f"networking.go: endpoint-Service: {v}")
            for n in (1, 2):
                expect(lambda: who(hosts[1], hosts[n].addr(i), 30000 + port, proto=proto), BOTH,
                          f"networking.go: node-Service: node port of node{n}, {v}")
                expect(lambda: who(pods["web-2"], hosts[n].addr(i), 30000 + port, proto=proto), BOTH,
                          f"networking.go: endpoint-Service: node port of node{n}, {v}")


@in_both
def updates(family, i):
    """networking.go: update endpoints and nodePort."""
    apply_services(web(type="NodePort"))
    for name, port, proto in (("http", 80, "tcp"), ("udp", 53, "udp")):
        apply_pods(web_1=None)
        expect(lambda: who(pods["client"], vip(family), port, proto=proto), {"default/web-2"}, f"networking.go: update endpoints: {name}")
        apply_pods()
        expect(lambda: who(pods["client"], vip(family), port, proto=proto), BOTH, f"networking.go: and back: {name}")
    moved = web(type="NodePort")
    for port in moved["spec"]["ports"]:
        port["nodePort"] += 1000
    apply_services(moved)
    for name, port, proto in (("http", 31080, "tcp"), ("udp", 31053, "udp")):
        expect(lambda: who(outside, hosts[2].addr(i), port, proto=proto), BOTH, f"networking.go: update nodePort: {name}")
        expect(lambda: ask(outside, hosts[2].addr(i), port - 1000, proto), "refused", f"networking.go: the old one: {name}")


@in_both
def client_affinity(family, i):
    """networking.go: function for client IP based session affinity."""
    apply_services(web(sessionAffinity="ClientIP"))
    for name, port, proto in (("http", 80, "tcp"), ("udp", 53, "udp")):
        # UDP flows live on for minutes with the member they have: none is of these ports
        first = ask(pods["client"], vip(family), port, proto, sport=20000)
        expect(lambda: who(pods["client"], vip(family), port, 15, proto, sport=20001), {first},
                  f"networking.go: client IP based session affinity: {name}")


def large_requests():
    """networking.go: handle large requests (2000 octets)."""
    apply_services(web((80, 8900, "TCP"), (53, 8901, "UDP"), selector={"app": "other"}))
    with pods["other"].ns:
        tcp = socket.create_server(("::", 8900), family=socket.AF_INET6, dualstack_ipv6=True)
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("::", 8901))
    request = os.urandom(2000)
    for sock in (tcp, udp):
        sock.settimeout(WAIT)
    for family, i in FAMILIES:
        kind = (socket.AF_INET, socket.AF_INET6)[i]
        with pods["client"].ns:
            stream, datagram = socket.socket(kind, socket.SOCK_STREAM), socket.socket(kind, socket.SOCK_DGRAM)
        for sock in (stream, datagram):
            sock.settimeout(WAIT)
        stream.connect((vip(family), 80))
        conn, _ = tcp.accept()
        stream.sendall(request)
        conn.sendall(conn.recv(2000, socket.MSG_WAITALL))
        tap.equal(stream.recv(2000, socket.MSG_WAITALL), request, f"networking.go: handle large requests: http (IPv{family})")
        datagram.sendto(request, (vip(family), 53))
        got, client = udp.recvfrom(3000)
        udp.sendto(got, client)
        tap.equal(datagram.recv(3000), request, f"networking.go: handle large requests: udp (IPv{family})")
        for sock in (stream, datagram, conn):
            sock.close()
    tcp.close()
    udp.close()


# --- traffic_distribution.go ---------------------------------------------------------------------

def in_zones(**zones):
    """The nodes' zones."""
    for n, node in nodes.items():
        zone = zones.get(f"node{n}")
        if ON_API:
            fabric.cp.api.patch(f"/api/v1/nodes/node{n}", {"metadata": {"labels": {"topology.kubernetes.io/zone": zone}}}, MERGE)
            continue
        obj = node_manifest(f"node{n}", node.addrs)
        obj["metadata"]["labels"] = {"topology.kubernetes.io/zone": zone} if zone else {}
        nodes[1].apply(f"00-node{n}", [obj])


@in_both
def traffic_distribution(family, i):
    """traffic_distribution.go: traffic stays in the zone, and leaves it when the zone has nobody."""
    def slice_of(**zone_of):
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {"name": "web-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
                "addressType": f"IPv{family}", "ports": [{"name": "tcp-80", "port": HTTP, "protocol": "TCP"}],
                "endpoints": [{"addresses": [pods[name].addr(family)], "nodeName": f"node{ON[name]}",
                               **({"hints": {"forZones": [{"name": zone}]}} if zone else {})}
                              for name, zone in zone_of.items() for name in [name.replace("_", "-")]]}

    in_zones(node1="a", node2="b")
    apply_services()    # with it go the slices that are made of its selector
    for hints, near, far in (({"web_1": "a", "web_2": "b"}, {"default/web-1"}, {"default/web-2"}),
                             ({"web_1": "a", "web_2": None}, BOTH, BOTH),
                             ({"web_1": "c", "web_2": "c"}, BOTH, BOTH)):
        obj = web((80, HTTP, "TCP"), ipFamilyPolicy="SingleStack", ipFamilies=[f"IPv{family}"])
        del obj["spec"]["selector"]
        apply_services(obj, slice_of(**hints))
        expect(lambda: who(pods["client"], vip(family), 80), near, f"traffic_distribution.go: hints {hints}, zone a")
        expect(lambda: who(pods["other"], vip(family), 80), far, f"traffic_distribution.go: hints {hints}, zone b")
    in_zones()
    apply_services()


# --- dual_stack.go, funny_ips.go ---------------------------------------------------------------

def families():
    """dual_stack.go: services with one family, the other, and both."""
    for spec, want in (({"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}, {4}),
                       ({"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}, {6}),
                       ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6", "IPv4"]}, {4, 6})):
        apply_services()    # the first family of a service stays the first
        apply_services(web(**spec))
        expect(lambda: {6 if ":" in v["addr"] else 4 for v in nodes[1].vrctl("vip", "show")
                        if v.get("label", "").startswith("default/web:")},
               want, f"dual_stack.go: a service with ipFamilies {spec['ipFamilies']}")
        for family in want:
            expect(lambda: who(pods["client"], vip(family), 80), BOTH, f"dual_stack.go: served by IPv{family}")


def leading_zeros():
    """funny_ips.go: a cluster IP with leading zeros is decimal."""
    zeros = web(ipFamilyPolicy="SingleStack", clusterIP="10.96.0.011", clusterIPs=["10.96.0.011"])
    if ON_API:
        apply_services()
        try:
            apply_services(zeros)
        except ApiError as err:
            tap.check("10.96.0.011" in err.message, "funny_ips.go: the API server refuses 10.96.0.011, and says so", err)
            return
    apply_services(zeros)
    expect(lambda: who(pods["client"], "10.96.0.11", 80), BOTH, "funny_ips.go: 10.96.0.011 is 10.96.0.11")


set_up()
CASES = (preserve_source, change_type, external_name, released_node_port, unready_terminating, affinity, no_endpoints,
         internal_local, terminating_only, load_balancer, udp_moves, granular, updates, client_affinity, large_requests, traffic_distribution,
         families, leading_zeros)
tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
if tap.failed:
    tap.say(fabric.logs())
tap.done()
