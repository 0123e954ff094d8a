#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a cluster loses in the middle of a rollout under load: the manager, the API server, etcd, a node's daemon, each
killed while one pod of a service is exchanged for another. Meanwhile clients on two nodes ask the service without
a pause, connections that live talk, and a pod that a policy forbids tries all the time.

    node1: web-a, client     node2: thief, client-2     node3: keeper
"""

import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.cluster import PATIENCE, Cluster
from vrtest.node import pod_manifest, policy, service
from vrtest.tap import Tap, wait_for

tap = Tap("faults")
cluster = Cluster(3).start()
nodes, cp = cluster.nodes, cluster.cp
NAMES = iter(f"web-{c}" for c in "bcdefghijk")
ON = {"web-a": 1, "keeper": 3, "client": 1, "client-2": 2, "thief": 2}
pods, servers, loads, streams = {}, {}, [], []
thief = vip = None


class Server(threading.Thread):
    """Tells its pod's name on each connection and then says everything again; knows who came."""

    def __init__(self, pod):
        super().__init__(daemon=True)
        self.name, self.peers = pod.short, set()
        with pod.ns:
            self.sock = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True, backlog=256)
        self.start()

    def run(self):
        while True:
            conn, peer = self.sock.accept()
            self.peers.add(peer[0].removeprefix("::ffff:"))
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn:
            try:
                conn.sendall(self.name.encode() + b"\n")
                while data := conn.recv(100):
                    conn.sendall(data)
            except OSError:
                pass


class Asker(threading.Thread):
    """New connections to an address, one after another, until it ends."""

    def __init__(self, pod, targets, timeout):
        super().__init__(daemon=True)
        self.pod, self.targets, self.timeout = pod, targets, timeout
        self.answers, self.errors, self.tries, self.ended = set(), [], 0, threading.Event()
        self.start()

    def one(self, addr, port):
        with self.pod.ns:
            sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
        with sock:
            sock.settimeout(self.timeout)
            sock.connect((addr, port))
            self.answers.add(sock.recv(100).decode().strip())

    def run(self):
        while not self.ended.is_set():
            for addr, port in self.targets():
                try:
                    self.one(addr, port)
                except OSError as err:
                    self.errors.append(f"{addr}: {err}")
                self.tries += 1
                # a pace, so that the cluster's own programs have a share of a slow machine
                self.ended.wait(0.1)

    def end(self):
        self.ended.set()
        self.join()


class Talk:
    """A connection to the service that stays with one member."""

    def __init__(self, pod, addr, member):
        def connect():
            with pod.ns:
                sock = socket.create_connection((addr, 80), PATIENCE)
            if sock.recv(100).decode().strip() == member:
                return sock
            sock.close()
            return None
        self.sock = wait_for(connect, f"a connection that {member} serves", PATIENCE)

    def lives(self):
        self.sock.sendall(b"still there?")
        return self.sock.recv(100) == b"still there?"


def members(node):
    """Of the service in the node's kernel, by IPv4: those that get new flows."""
    hops = [h for h in node.vrctl("nexthop", "show") if h.get("label") == "default/web.http"]
    return {m["label"].split("/")[1] for h in hops for m in h.get("member", []) if m.get("state") != "draining"}


def until(cond, what):
    return tap.until(cond, what, PATIENCE, cluster.logs)


def manifest(name):
    app = "web" if name.startswith("web") or name == "keeper" else name.split("-", maxsplit=1)[0]
    return pod_manifest("default", name, {"app": app}, [("http", 8080, "TCP")], node=f"node{ON[name]}")


def run_pod(name):
    pods[name] = nodes[ON[name]].pod("default", name)
    if name not in ("client", "client-2", "thief"):
        servers[name] = Server(pods[name])


def set_up():
    global thief, vip  # pylint: disable=global-statement
    nodes[1].apply("20-pods", [manifest(name) for name in ON])
    nodes[1].apply("30-services", [service("default", "web", [(80, 8080, "TCP", "http")], {"app": "web"})])
    nodes[1].apply("40-policies", [policy("default", "web", {"matchLabels": {"app": "web"}},
                                          ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}])])
    for name in ON:
        run_pod(name)
    cluster.sync()
    until(lambda: all(members(n) == {"web-a", "keeper"} for n in nodes.values()), "the service is programmed on all nodes")
    vip = [nodes[1].vip("default", "web", family) for family in (4, 6)]
    loads.extend(Asker(pods[name], lambda: [(addr, 80) for addr in vip], PATIENCE) for name in ("client", "client-2"))
    streams.extend(Talk(pods[name], addr, "keeper") for name in ("client", "client-2") for addr in vip)
    targets = [(addr, 80) for addr in vip] + [(pods["keeper"].v4, 8080), (pods["keeper"].v6, 8080)]
    thief = Asker(pods["thief"], lambda: targets + [(addr, 8080) for n in list(pods) if n.startswith("web") for addr in pods[n].addresses], 0.3)
    settled("before all faults")


def asked_again(count=20):
    """So many new connections were made by each client after now."""
    base = [load.tries for load in loads]
    wait_for(lambda: all(load.tries >= b + count for load, b in zip(loads, base)), "new connections", PATIENCE)


def settled(what):
    asked_again()
    tap.check(all(s.lives() for s in streams), f"{what}: connections live")
    tap.equal([load.errors for load in loads], [[], []], f"{what}: of {sum(load.tries for load in loads)} new ones none failed")
    seen = pods["thief"].addresses
    tap.check(not thief.answers and not any(set(seen) & s.peers for s in servers.values()) and thief.tries,
              f"{what}: in {thief.tries} tries nothing got by the policy", thief.answers)


def exchange(title, lose, restore):
    """One pod comes and one goes; in between, something is lost for a while."""
    old, new = next(n for n in pods if n.startswith("web")), next(NAMES)
    ON[new] = ON[old] % 3 + 1
    cp.api.post("/api/v1/namespaces/default/pods", {**manifest(new), "spec": {
        **manifest(new)["spec"], "terminationGracePeriodSeconds": 600}})
    run_pod(new)
    lose()
    settled(f"{title}, a pod has come")
    restore()
    until(lambda: all(members(n) == {old, new, "keeper"} for n in nodes.values()), f"{title} and back: the new pod serves on all nodes")
    cp.api.request("DELETE", f"/api/v1/namespaces/default/pods/{old}?gracePeriodSeconds=600")
    lose()
    settled(f"{title}, a pod goes")
    restore()
    until(lambda: all(members(n) == {new, "keeper"} for n in nodes.values()), f"{title} and back: the old pod gets nothing new on all nodes")
    asked_again()
    ended = pods.pop(old)
    ended.detach()
    cp.api.request("DELETE", f"/api/v1/namespaces/default/pods/{old}?gracePeriodSeconds=0")
    settled(f"{title} and back")
    ended.ns.delete()


def nothing():
    exchange("nothing lost", lambda: None, lambda: None)


def manager():
    exchange("the manager killed", cluster.kill_manager, cluster.start_manager)


def api_server():
    exchange("the API server killed", lambda: cp.kill("kube-apiserver"), cp.start_apiserver)


def etcd():
    def back():
        cp.start_etcd()
        wait_for(cp.ready, "the API server with etcd", PATIENCE)
    exchange("etcd killed", lambda: cp.kill("etcd"), back)


def daemon():
    exchange("vrouterd killed", lambda: nodes[1].kill_daemon(signal.SIGKILL), nodes[1].start_daemon)


def all_at_once():
    def lose():
        cluster.kill_manager()
        for node in nodes.values():
            node.kill_daemon(signal.SIGKILL)
        cp.kill("kube-apiserver")

    def back():
        for node in nodes.values():
            node.start_daemon()
        cluster.start_manager()
        asked_again()
        cp.start_apiserver()
    exchange("all of them killed", lose, back)


def vips(node):
    """Names of the services in the node's kernel."""
    return {v["label"].split("/")[1].split(":")[0] for v in node.vrctl("vip", "show") if v.get("label", "").startswith("default/")}


def unseen():
    """What changes while no daemon looks, and the API server has forgotten when they look again."""
    def signal_all(sig):
        for node in nodes.values():
            node.daemon.send_signal(sig)
    nodes[1].apply("50-brief", [service("default", "brief", [(80, 8080, "TCP", "http")], {"app": "web"})])
    until(lambda: all("brief" in vips(n) for n in nodes.values()), "unseen: a service is on all nodes")
    cp.kill("kube-apiserver")
    signal_all(signal.SIGSTOP)
    cp.start_apiserver()
    nodes[1].delete("50-brief")
    nodes[1].apply("51-later", [service("default", "later", [(80, 8080, "TCP", "http")], {"app": "web"})])
    path = "/apis/opencontrail.org/v1/namespaces/default/loadbalancers"
    until(lambda: {lb["metadata"]["name"] for lb in cp.api.get(path)["items"]} >= {"web", "later"} and not cp.api.find(f"{path}/brief"),
          "unseen: it is exchanged for another while all daemons are stopped")
    cp.forget()
    cp.kill("kube-apiserver")
    cp.start_apiserver()
    signal_all(signal.SIGCONT)
    until(lambda: all(vips(n) >= {"web", "later"} and "brief" not in vips(n) for n in nodes.values()), "unseen: they list all again, and catch up")
    settled("unseen")


set_up()
tap.run([(f.__name__, f) for f in (nothing, manager, api_server, etcd, daemon, all_at_once, unseen)], only=os.environ.get("CASE"))
for asker in (*loads, thief):
    asker.end()
if tap.failed:
    tap.say(cluster.logs())
cluster.stop()
tap.done()
