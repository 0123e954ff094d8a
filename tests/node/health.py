#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Health monitors on three nodes: a member that fails leaves the service on every node, and
returns when it heals; daemons and the manager go and come meanwhile.
"""

import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric
from vrtest.node import SLOW, VrctlError, namespace_manifest, pod_manifest, service
from vrtest.probe import Probe, World
from vrtest.tap import Tap, wait_for

tap = Tap("health")
world = World()
fabric = Fabric(3)
nodes = fabric.nodes
WAIT = 10 * SLOW
LONG = 60 * SLOW
INTERVAL = 1 if SLOW == 1 else 6
ON = {"web-1": 1, "web-2": 2, "web-3": 3, "solo": 3, "client": 1}
pods, listening = {}, {}


class Servers(World):
    """Servers of members. They have a thread of their own: they answer while the test waits."""

    def __init__(self):
        super().__init__()
        self.status = {}        # pod's name -> HTTP status of its /healthz
        threading.Thread(target=self._loop, daemon=True).start()

    def _loop(self):
        while True:
            self.step(0.1)

    def http(self, pod, port):
        """Answers any request with the pod's status."""
        self.status[pod.name] = 200
        with pod.ns:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("::", port))
        sock.listen(128)
        self.add(sock, lambda: self._connection(pod, sock))

    def _connection(self, pod, sock):
        try:
            conn, _ = sock.accept()
        except OSError:
            return
        self.add(conn, lambda: self._request(pod, conn))

    def _request(self, pod, conn):
        try:
            text = conn.recv(65536).decode()
            if text:
                good = text.startswith("GET /healthz HTTP/1.1\r\n") and "\r\nHost: web.test\r\n" in text
                conn.send(f"HTTP/1.1 {self.status[pod.name] if good else 400} x\r\n"
                          "Content-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        except OSError:
            pass
        self.remove(conn)


servers = Servers()


def monitor(name, **spec):
    return {"apiVersion": "opencontrail.org/v1", "kind": "HealthMonitor",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"intervalSeconds": INTERVAL, "timeoutSeconds": INTERVAL, "healthyThreshold": 2,
                     "unhealthyThreshold": 2, **spec}}


def monitored(name, app, by, target=8080):
    obj = service("default", name, [(80, target, "TCP")], {"app": app})
    if by:
        obj["metadata"]["annotations"] = {"opencontrail.org/health-monitor": by}
    return obj


def set_up():
    nodes[1].apply("10-pods", [namespace_manifest("default")] + [
        pod_manifest("default", name, {"app": name.split("-", maxsplit=1)[0]}, node=f"node{n}")
        for name, n in ON.items()])
    nodes[1].apply("20-monitors", [
        monitor("http", type="HTTP", port=8081, path="/healthz", host="web.test", expectedStatus=[200, "300-399"]),
        monitor("tcp", type="TCP"), monitor("ping", type="PING")])
    for name, n in ON.items():
        pods[name] = nodes[n].pod("default", name)
        listening[name] = servers.serve(pods[name], "tcp", 8080)
        servers.http(pods[name], 8081)
    nodes[1].apply("30-services", [monitored("web", "web", "http")])
    fabric.sync()


def members(node, svc, family=4):
    """The pods that are in the service's next hop on the node."""
    label = f"default/{svc}.tcp-80" + (".ipv6" if family == 6 else "")
    for nh in node.vrctl("nexthop", "show"):
        if nh.get("label") == label and nh["type"] == "ecmp":
            return {m["label"] for m in nh.get("member", [])}
    return None


def wait_members(svc, want, what):
    """On every node, in both families."""
    want = {f"default/{name}" for name in want}
    try:
        wait_for(lambda: all(members(n, svc, f) == want for n in nodes.values() for f in (4, 6)), what, LONG,
                 step=0.05 * SLOW)
        tap.check(True, what)
    except AssertionError:
        tap.check(False, what, [(n.name, f, members(n, svc, f)) for n in nodes.values() for f in (4, 6)])
        tap.say(fabric.logs())


def answers(svc, n=40, family=4):
    vip = nodes[1].vip("default", svc, family)
    return set(world.run([Probe(pods["client"], "tcp", vip, 80) for _ in range(n)], seconds=WAIT))


def health(node, *words):
    return nodes[node].vrctl("healthcheck", "show", *words, "socket", nodes[node].cni_socket)


def probed(node):
    """Wait until each member that is probed there has a result."""
    wait_for(lambda: health(node) and all("last-result" in m for m in health(node)), "results", LONG, step=0.05 * SLOW)
    return health(node)


def log_lines(node, text):
    with open(f"{nodes[node].dir}/vrouterd.log", encoding="utf-8") as f:
        return sum(text in line for line in f)


def http():
    """A server that answers 500 leaves the service on all nodes, and returns with 200."""
    wait_members("web", ("web-1", "web-2", "web-3"), "all members are in at first")
    for n in (1, 2, 3):
        got = probed(n)
        tap.equal(sorted((m["target"], m["addr"], m["port"], m["state"]) for m in got),
                  sorted((f"default/web-{n}", pods[f"web-{n}"].addr(f), 8081, "active") for f in (4, 6)),
                  f"node{n} probes its own member, both families")
        tap.equal({m["last-result"] for m in got}, {"HTTP status 200"}, "and it is well")
    servers.status["default/web-2"] = 500
    wait_members("web", ("web-1", "web-3"), "HTTP 500: web-2 leaves on every node")
    for family in (4, 6):
        tap.equal(answers("web", family=family), {"default/web-1", "default/web-3"}, f"no client gets it (IPv{family})")
    got = health(2, "failed")
    tap.equal([(m["state"], m["last-result"], m["monitor"]) for m in got],
              [("failed", "HTTP status 500", "default/http")] * 2, "vrctl says why")
    tap.equal(health(1, "failed"), [], "other nodes have nothing to say of it")
    tap.equal(log_lines(2, "(default/web-2) failed: HTTP status 500"), 2, "the log has it once for each family")
    servers.status["default/web-2"] = 302
    wait_members("web", ("web-1", "web-2", "web-3"), "another status that is expected: it returns")
    tap.equal(answers("web"), {"default/web-1", "default/web-2", "default/web-3"}, "and gets clients")
    tap.equal(log_lines(2, "(default/web-2) is healthy again: HTTP status 302"), 2, "the log has that, too")


def tcp():
    """A closed port. When no member is left the service refuses."""
    nodes[1].apply("40-tcp", [monitored("tcp", "solo", "tcp")])
    fabric.sync()
    wait_members("tcp", ("solo",), "the member is in")
    nodes[1].apply("41-held", [monitored("held", "solo", None)])
    fabric.sync()
    tap.equal(answers("tcp", 1), {"default/solo"}, "it serves")
    servers.remove(listening.pop("solo"))
    wait_members("tcp", (), "port closed: the last member leaves, too")
    drops = nodes[1].drops("no-member")
    tap.equal(answers("tcp", 1), {"refused"}, "without members the service refuses")
    tap.check(nodes[1].drops("no-member") > drops, "by vrouter, for want of a member")
    tap.equal({m["last-result"] for m in health(3, "failed")}, {"Connection refused"}, "vrctl says why")
    tap.equal(members(nodes[1], "held"), {"default/solo"}, "a service that does not ask for it keeps the member")
    listening["solo"] = servers.serve(pods["solo"], "tcp", 8080)
    wait_members("tcp", ("solo",), "port open: it returns")
    tap.equal(answers("tcp", 1), {"default/solo"}, "and serves")
    nodes[1].delete("40-tcp")
    nodes[1].delete("41-held")
    fabric.sync()
    tap.check(not any(m["monitor"] == "default/tcp" for m in health(3)), "without the service nothing is probed")


def echo(pod, on):
    for key in ("net.ipv4.icmp_echo_ignore_all", "net.ipv6.icmp.echo_ignore_all"):
        pods[pod].ns.run(["sysctl", "-qw", f"{key}={0 if on else 1}"])


def hold(svc):
    """A connection through the service that the server keeps until it is asked."""
    with pods["client"].ns:
        return socket.create_connection((nodes[1].vip("default", svc), 80), timeout=WAIT)


def ask_held(conn):
    try:
        conn.send(b"GET /healthz HTTP/1.1\r\nHost: web.test\r\n\r\n")
        return conn.recv(1000).decode().split("\r\n", maxsplit=1)[0]
    except ConnectionResetError:
        return "reset"
    finally:
        conn.close()


def ping():
    """No answer to echo requests. Two services ask the same of a member: one probe."""
    nodes[1].apply("40-ping", [monitored("ping", "web", "ping"), monitored("ping-2", "web", "ping"),
                               monitored("held", "solo", "ping", 8081)])
    fabric.sync()
    wait_members("held", ("solo",), "the member that holds connections is in")
    tap.equal(ask_held(hold("held")), "HTTP/1.1 200 x", "it answers on a connection that was held")
    held = hold("held")
    echo("solo", False)
    wait_members("held", (), "it leaves")
    tap.equal(ask_held(held), "reset", "its connections are ended, so that clients make new ones")
    echo("solo", True)
    wait_members("ping", ("web-1", "web-2", "web-3"), "all members are in")
    tap.equal({m["last-result"] for m in probed(1) if m["type"] == "PING"}, {"answered"}, "they answer")
    tap.equal(len([m for m in health(1) if m["type"] == "PING"]), 2, "services share probes, one for each family")
    echo("web-1", False)
    wait_members("ping", ("web-2", "web-3"), "no answer: web-1 leaves")
    wait_members("ping-2", ("web-2", "web-3"), "the other service, too")
    tap.equal(members(nodes[2], "web"), {"default/web-1", "default/web-2", "default/web-3"},
              "a service with another monitor keeps it")
    tap.equal({m["last-result"] for m in health(1, "failed")}, {f"no answer within {INTERVAL} s"}, "vrctl says why")
    echo("web-1", True)
    wait_members("ping", ("web-1", "web-2", "web-3"), "answers: it returns")
    nodes[1].delete("40-ping")
    fabric.sync()


def restarts():
    """What failed stays out over restarts of its node's daemon, and of the manager."""
    servers.status["default/web-2"] = 503
    wait_members("web", ("web-1", "web-3"), "web-2 leaves")
    nodes[2].kill_daemon()
    fabric.nodes[1].sync()
    tap.equal(members(nodes[1], "web"), {"default/web-1", "default/web-3"}, "without its daemon its last state stays")
    nodes[2].start_daemon()
    wait_for(lambda: log_lines(2, "feed: in step") > 1, "the daemon in step", LONG)
    fabric.sync()
    tap.equal([m["state"] for m in health(2)], ["failed"] * 2, "a restarted daemon takes over what it had found")
    tap.equal(members(nodes[1], "web"), {"default/web-1", "default/web-3"}, "and others do not notice")
    nodes[1].kill_manager()
    nodes[1].start_manager()
    fabric.sync()
    wait_members("web", ("web-1", "web-3"), "a restarted manager is told of it again")
    nodes[2].kill_daemon()
    servers.status["default/web-2"] = 200
    nodes[2].start_daemon()
    wait_members("web", ("web-1", "web-2", "web-3"), "healed while the daemon was away: it returns")


def unknown():
    """A monitor that is not there is told and changes nothing; one that goes lets its members in."""
    servers.status["default/web-3"] = 404
    wait_members("web", ("web-1", "web-2"), "web-3 leaves")
    nodes[1].apply("20-monitors", [monitor("tcp", type="TCP")])
    wait_members("web", ("web-1", "web-2", "web-3"), "without its monitor it returns")
    wait_for(lambda: not health(3), "no probes", LONG)
    with open(f"{nodes[1].dir}/manager.log", encoding="utf-8") as f:
        tap.check("there is no HealthMonitor default/http" in f.read(), "and the manager says what is missing")
    nodes[3].kill_daemon()
    try:
        seen = health(3)
    except VrctlError as err:
        seen = str(err)
    tap.check("vrouterd at" in str(seen), "vrctl says when vrouterd is not there", seen)
    nodes[3].start_daemon()


set_up()
tap.run([(f.__name__, f) for f in (http, tcp, ping, restarts, unknown)], only=os.environ.get("CASE"))
tap.done()
