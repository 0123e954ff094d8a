#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Services on one node: the cases of Kubernetes' e2e suite (test/e2e/network/service.go,
conntrack.go, networking.go) that need one node; each is named after its case there.
"""

import collections
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.node import Node, SLOW, namespace_manifest, pod_manifest, service
from vrtest.netns import run
from vrtest.probe import Probe, World
from vrtest.tap import Tap, wait_for

tap = Tap("service")
node = Node().start()
world = World()
PORTS = [("http", 8080, "TCP"), ("alt", 8081, "TCP"), ("dns", 8053, "UDP"), ("sig", 8090, "SCTP")]
NAMES = ["web-0", "web-1", "web-2", "client", "other"]
pods = {}
states = {}             # pod -> more of its manifest


def web(name):
    return {"app": "web"} if name.startswith("web") else {"app": name}


def pod_objects():
    """The pods as they are now: states[name] = None leaves one out."""
    out = []
    for name in NAMES:
        state = states.get(name, {})
        if state is None:
            continue
        obj = pod_manifest("default", name, web(name), PORTS, **state.get("status", {}))
        obj["metadata"].update(state.get("metadata", {}))
        out.append(obj)
    return out


def apply_pods(**changes):
    states.clear()
    states.update({k.replace("_", "-"): v for k, v in changes.items()})
    node.apply("20-pods", pod_objects())
    node.sync()
    # a pod that is there again is heard when its policy is in place, a moment after the services
    for name, pod in pods.items():
        state = states.get(name, {})
        if state is not None and state.get("status", {}).get("phase") not in ("Failed", "Succeeded"):
            wait_for(pod.is_up, f"{name}'s device is up", 30 * SLOW)


def apply_services(*objects):
    node.apply("30-services", list(objects))
    node.sync()


def serve(pod):
    for _, num, proto in PORTS:
        world.serve(pod, proto.lower(), num)


def ask_many(addr, port, count, proto="tcp", src="client"):
    """Who answered how often."""
    got = world.run([Probe(pods[src], proto, addr, port) for _ in range(count)], seconds=10 * SLOW)
    return collections.Counter(got)


def ask(addr, port, proto="tcp", src="client", **kw):
    return world.ask(pods[src], proto, addr, port, seconds=10 * SLOW, **kw)


def members_of(counter):
    return {k.split("/")[1] for k in counter if k and "/" in k}


WEB = {"app": "web"}
NOT_READY = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}}
TERMINATING = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
ALL = {"web-0", "web-1", "web-2"}


def set_up():
    node.apply("10-namespaces", [namespace_manifest("default")])
    apply_pods()
    for name in NAMES:
        pods[name] = node.pod("default", name)
        serve(pods[name])


def balance():
    apply_services(service("default", "web", [(80, "http", "TCP"), (53, "dns", "UDP"),
                                              (8090, "sig", "SCTP")], WEB))
    # SCTP: a server names all its addresses, and the client probes them at the
    # service's port; where that is not the server's, it gets an abort.
    for family in (4, 6):
        vip = node.vip("default", "web", family)
        for proto, port in (("tcp", 80), ("udp", 53), ("sctp", 8090)):
            got = ask_many(vip, port, 90, proto)
            tap.check(members_of(got) == ALL and sum(got.values()) == 90 and min(got.values()) >= 12,
                      f"90 {proto} requests over IPv{family} are spread over three members", got)


def endpoints_follow_pods():
    vip = node.vip("default", "web")
    apply_pods(web_2=None)
    tap.equal(members_of(ask_many(vip, 80, 40)), {"web-0", "web-1"}, "a deleted pod gets no new flow")
    apply_pods(web_1=None, web_2=None)
    tap.equal(members_of(ask_many(vip, 80, 20)), {"web-0"}, "one member is left")
    apply_pods()
    tap.equal(members_of(ask_many(vip, 80, 60)), ALL, "pods that are back serve again")


def multiport():
    apply_services(service("default", "web", [(80, "http", "TCP", "a"), (81, 8081, "TCP", "b")], WEB))
    vip = node.vip("default", "web")
    tap.check(members_of(ask_many(vip, 80, 30)) == ALL and members_of(ask_many(vip, 81, 30)) == ALL,
              "multiport endpoints with a named and a numbered targetPort")


def ports_change():
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    vip = node.vip("default", "web")
    tap.equal(ask(vip, 81), "refused", "a port that is removed is refused")
    apply_services(service("default", "web", [(80, "http", "TCP"), (82, "alt", "TCP")], WEB))
    tap.check((ask(vip, 82) or "").startswith("default/web"), "a port that is added serves")


def hairpin():
    apply_services(service("default", "alone", [(80, "http", "TCP"), (53, "dns", "UDP")],
                           {"app": "other"}))
    for family in (4, 6):
        vip = node.vip("default", "alone", family)
        tap.equal(ask(vip, 80, src="other"), "default/other",
                  f"hairpin: a pod reaches itself through its service (TCP, IPv{family})")
        tap.equal(ask(vip, 53, "udp", src="other"), "default/other",
                  f"hairpin: the same (UDP, IPv{family})")


def up_and_down():
    one = service("default", "one", [(80, "http", "TCP")], WEB)
    two = service("default", "two", [(80, "http", "TCP")], {"app": "other"})
    apply_services(one, two)
    vip1, vip2 = node.vip("default", "one"), node.vip("default", "two")
    tap.check(members_of(ask_many(vip1, 80, 30)) == ALL and ask(vip2, 80) == "default/other",
              "two services are up")
    apply_services(two)
    tap.check(ask(vip1, 80) != "default/web-0" and ask(vip2, 80) == "default/other",
              "one goes down, the other stays")
    apply_services(one, two)
    tap.check(members_of(ask_many(node.vip("default", "one"), 80, 30)) == ALL,
              "a service deleted and made again under the same name serves")


def proxy_restart():
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    vip = node.vip("default", "web")
    node.kill_daemon()
    tap.equal(members_of(ask_many(vip, 80, 30)), ALL, "services work while vrouterd is down")
    node.start_daemon()
    node.sync()
    tap.equal(members_of(ask_many(vip, 80, 30)), ALL, "and after it restarted")
    node.kill_manager()
    tap.equal(members_of(ask_many(vip, 80, 30)), ALL, "services work while the manager is down")
    node.start_manager()
    node.sync()
    tap.equal(node.vip("default", "web"), vip, "the address is the same after the manager restarted")
    tap.equal(members_of(ask_many(vip, 80, 30)), ALL, "and the service works")


def external_name():
    apply_services(service("default", "ext", [(80, "http", "TCP")], None,
                           type="ExternalName", externalName="example.com"))
    tap.check(not [v for v in node.vrctl("vip", "show") if "default/ext" in v.get("label", "")],
              "ExternalName has no vip")
    apply_services(service("default", "ext", [(80, "http", "TCP")], WEB, type="ClusterIP"))
    vip = node.vip("default", "ext")
    tap.equal(members_of(ask_many(vip, 80, 30)), ALL, "ExternalName to ClusterIP serves")
    apply_services(service("default", "ext", [(80, "http", "TCP")], None,
                           type="ExternalName", externalName="example.com"))
    tap.check(not [v for v in node.vrctl("vip", "show") if "default/ext" in v.get("label", "")],
              "ClusterIP to ExternalName: the vip stops")


def not_ready():
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    vip = node.vip("default", "web")
    apply_pods(web_0=NOT_READY, web_1=NOT_READY)
    tap.equal(members_of(ask_many(vip, 80, 20)), {"web-2"}, "pods that are not ready get nothing")
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB, publishNotReadyAddresses=True))
    tap.equal(members_of(ask_many(vip, 80, 60)), ALL, "publishNotReadyAddresses on: they do")
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    tap.equal(members_of(ask_many(vip, 80, 20)), {"web-2"}, "publishNotReadyAddresses off again")
    apply_pods(web_0=NOT_READY, web_1=NOT_READY, web_2=NOT_READY)
    for family in (4, 6):
        vip = node.vip("default", "web", family)
        tap.equal(ask(vip, 80), "refused", f"no endpoints: refused at once (TCP, IPv{family})")
    apply_pods()


def no_endpoints():
    apply_services(service("default", "none", [(80, 80, "TCP"), (53, 53, "UDP"), (90, 90, "SCTP")],
                           {"app": "nobody"}))
    for family in (4, 6):
        vip = node.vip("default", "none", family)
        tap.equal(ask(vip, 80), "refused", f"service without endpoints: refused (TCP, IPv{family})")
        tap.equal(ask(vip, 53, "udp"), "refused", f"service without endpoints: refused (UDP, IPv{family})")
    tap.check(node.drops("no-member") >= 4, "counted as no-member", node.vrctl("drops", "show"))
    apply_services(service("default", "web", [(80, "http", "TCP")], {"app": "other"}))
    vip = node.vip("default", "web")
    tap.equal(ask(vip, 80), "default/other", "before the eviction it answers")
    apply_pods(other={"status": {"phase": "Failed", "reason": "Evicted"}})
    tap.equal(ask(vip, 80), "refused", "evicted pod: refused")
    apply_pods()


def affinity():
    sticky = {"sessionAffinity": "ClientIP"}
    ports = [(80, "http", "TCP")]
    apply_services(service("default", "web", ports, WEB, **sticky))
    for family in (4, 6):
        vip = node.vip("default", "web", family)
        got = ask_many(vip, 80, 1) + ask_many(vip, 80, 14)
        tap.check(len(got) == 1 and sum(got.values()) == 15,
                  f"affinity: 15 answers in a row by one pod (IPv{family})", got)
    vip = node.vip("default", "web")
    apply_services(service("default", "web", ports, WEB))
    tap.equal(members_of(ask_many(vip, 80, 60)), ALL, "affinity off: spread")
    apply_services(service("default", "web", ports, WEB, **sticky))
    first = ask(vip, 80)
    tap.equal(set(ask_many(vip, 80, 20)), {first}, "affinity on again: one pod")
    apply_pods(**{first.split("/")[1].replace("-", "_"): None})
    got = set(ask_many(vip, 80, 1)) | set(ask_many(vip, 80, 10))
    tap.check(len(got) == 1 and first not in got and None not in got,
              "affinity to a pod that is gone moves to one other", got)
    apply_pods()
    apply_services(service("default", "web", ports, WEB, **sticky,
                           sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}}))
    first = ask(vip, 80)
    wait_for(lambda: ask(vip, 80) != first, "another member after the affinity timed out",
             seconds=40, step=1.5)
    tap.check(True, "affinity times out")


def ignored_labels():
    ports = [(80, "http", "TCP")]
    for key in ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"):
        svc = service("default", "web", ports, WEB)
        apply_services(svc)
        vip = node.vip("default", "web")
        tap.equal(members_of(ask_many(vip, 80, 30)), ALL, f"before the label {key}")
        labelled = service("default", "web", ports, WEB)
        labelled["metadata"]["labels"] = {key: "foo"}
        apply_services(labelled)
        before = node.drops("blackhole")
        got = world.run([Probe(pods["client"], "tcp", vip, 80)], seconds=10 * SLOW,
                        until=lambda before=before: node.drops("blackhole") > before)
        tap.equal(got, [None], f"with {key} the service is not ours: dropped")
        apply_services(svc)
        tap.equal(members_of(ask_many(vip, 80, 30)), ALL, f"without {key} it is again")


def terminating():
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    vip = node.vip("default", "web")
    apply_pods(web_0=TERMINATING)
    tap.equal(members_of(ask_many(vip, 80, 40)), {"web-1", "web-2"}, "a terminating pod gets no new flow")
    apply_pods(web_0=TERMINATING, web_1=TERMINATING, web_2=TERMINATING)
    tap.equal(members_of(ask_many(vip, 80, 60)), ALL, "all terminating: they go on serving")
    apply_pods()


def same_port_two_protocols():
    both = service("default", "dns", [(53, "alt", "TCP"), (53, "dns", "UDP")], WEB)
    apply_services(both)
    vip = node.vip("default", "dns")
    tap.check(members_of(ask_many(vip, 53, 30)) == ALL and members_of(ask_many(vip, 53, 30, "udp")) == ALL,
              "one port, TCP and UDP")
    apply_services(service("default", "dns", [(53, "dns", "UDP")], WEB))
    tap.check(ask(vip, 53) == "refused" and members_of(ask_many(vip, 53, 20, "udp")),
              "the TCP port removed: refused, UDP goes on")


def client_address():
    apply_services(service("default", "web", [(80, "http", "TCP")], WEB))
    for family in (4, 6):
        world.seen.clear()
        ask(node.vip("default", "web", family), 80)
        tap.equal([a for _, a in world.seen], [pods["client"].addr(family)],
                  f"the member sees the client's own address (IPv{family})")


def udp_flow_moves():
    """conntrack.go: a UDP client with a fixed source port keeps sending while the member is replaced."""
    apply_services(service("default", "dns", [(53, "dns", "UDP")], WEB))
    vip = node.vip("default", "dns")
    apply_pods(web_1=None, web_2=None)
    tap.equal(ask(vip, 53, "udp", sport=12345), "default/web-0", "UDP from port 12345 reaches the only member")
    apply_pods(web_0=None, web_2=None)
    tap.equal(ask(vip, 53, "udp", sport=12345), "default/web-1", "its next packet reaches the new one")
    apply_pods(web_0=None, web_1=NOT_READY, web_2=None)
    tap.equal(ask(vip, 53, "udp", sport=12345), "refused", "no ready one: refused")
    apply_pods(web_0=None, web_2=None)
    tap.equal(ask(vip, 53, "udp", sport=12345), "default/web-1", "an unready one that got ready is reached")
    apply_pods()


def established_flows_stay():
    """Members come and go; a connection to one that stays never notices."""
    apply_services(service("default", "web", [(80, "stay", "TCP")], WEB))
    states.clear()
    listener, port = {}, 7777
    objs = pod_objects()
    for o in objs:
        o["spec"]["containers"][0]["ports"].append({"name": "stay", "containerPort": port, "protocol": "TCP"})
    node.apply("20-pods", objs)
    node.sync()
    for name in sorted(ALL):
        with pods[name].ns:
            listener[name] = socket.create_server(("", port))
    vip = node.vip("default", "web")
    conns = {}
    while len(conns) < 3:
        with pods["client"].ns:
            c = socket.socket()
        c.settimeout(20 * SLOW)
        c.connect((vip, 80))
        for name, lst in listener.items():
            lst.setblocking(False)
            try:
                server, _ = lst.accept()
            except BlockingIOError:
                continue
            if name in conns:
                server.close()
                c.close()
            else:
                server.settimeout(20 * SLOW)
                conns[name] = (c, server)
    node.apply("20-pods", [o for o in objs if o["metadata"]["name"] != "web-2"])
    node.sync()
    for name in ("web-0", "web-1"):
        c, s = conns[name]
        c.sendall(b"ping")
        got = s.recv(4)
        s.sendall(b"pong")
        tap.check(got == b"ping" and c.recv(4) == b"pong", f"the connection to {name} lives on")
    c, _ = conns["web-2"]
    try:
        c.sendall(b"ping")
        seen = c.recv(4)
    except OSError as err:
        seen = err
    tap.check(isinstance(seen, ConnectionResetError), "the one to the removed member is reset", repr(seen))
    for c, s in conns.values():
        c.close()
        s.close()
    for lst in listener.values():
        lst.close()
    apply_pods()


def bulk():
    """A stream of segments that are larger than the MTU until the device cuts them (GSO), without
    checksums until then, translated both ways."""
    size = (8 << 20) // SLOW
    apply_services(service("default", "web", [(80, "http", "TCP")], {"app": "other"}))
    for family in (4, 6):
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        with pods["other"].ns:
            server = socket.create_server(("", 9000), family=kind)
        received = bytearray()

        def sink(server=server, received=received):
            conn, _ = server.accept()
            while chunk := conn.recv(1 << 16):
                received.extend(chunk)
            conn.sendall(received)
            conn.close()

        apply_services(service("default", "bulk", [(80, 9000, "TCP")], {"app": "other"}))
        thread = threading.Thread(target=sink, daemon=True)
        thread.start()
        with pods["client"].ns:
            client = socket.socket(kind)
        client.settimeout(60 * SLOW)
        client.connect((node.vip("default", "bulk", family), 80))
        sent = os.urandom(size)
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        back = bytearray()
        while chunk := client.recv(1 << 16):
            back.extend(chunk)
        thread.join()
        client.close()
        server.close()
        flow = [f for f in node.vrctl("-s", "flow", "show", "dport", 80) if f.get("translated")]
        most = max((f["orig-bytes"] / max(f["orig-packets"], 1) for f in flow), default=0)
        tap.check(received == sent and back == sent,
                  f"{size} octets there and back through a service (IPv{family})", (len(received), len(back)))
        tap.check(most > 1500, f"in segments larger than the MTU, which nobody cut (IPv{family})", flow)


def unnamed_port():
    """The only port of a service needs no name."""
    obj = service("default", "plain", [(80, 8080, "TCP")], WEB)
    del obj["spec"]["ports"][0]["name"]
    apply_services(obj)
    for family in (4, 6):
        tap.equal(members_of(ask_many(node.vip("default", "plain", family), 80, 60)), ALL,
                  f"a port without a name is served (IPv{family})")


def from_pods():
    """service.go: NodePort and externalIPs, asked by pods of a node that serves nothing from outside."""
    here, external = ("192.0.2.9", "2001:db8::9"), ("198.51.100.9", "2001:db8:100::9")
    for addr in here:
        node.ns.run(["ip", "addr", "add", addr, "dev", "lo"])
    obj = service("default", "np", [(80, 8080, "TCP")], WEB, type="NodePort", externalIPs=list(external))
    obj["spec"]["ports"][0]["nodePort"] = 30080
    apply_services(obj)
    for i in (0, 1):
        tap.equal(members_of(ask_many(here[i], 30080, 60)), ALL, f"a node port of {here[i]}")
        tap.equal(members_of(ask_many(external[i], 80, 60)), ALL, f"external address {external[i]}")
    tap.check(not any(v["type"] == "external" for v in node.vrctl("vif", "show")), "without a vif to the outside")
    apply_services()
    for addr in here:
        node.ns.run(["ip", "addr", "del", addr, "dev", "lo"])


def no_sctp_module():
    deps = run(["modinfo", "-F", "depends", os.environ["VROUTER_KO"]]).stdout
    tap.check("sctp" not in deps.split(","), "the module does not need the sctp module", deps)


set_up()
tap.run([(f.__name__, f) for f in (
    balance, endpoints_follow_pods, multiport, ports_change, hairpin, up_and_down, proxy_restart,
    external_name, not_ready, no_endpoints, affinity, ignored_labels, terminating,
    same_port_two_protocols, client_address, udp_flow_moves, established_flows_stay, bulk, unnamed_port,
    from_pods, no_sctp_module)],
    only=os.environ.get("CASE"))
tap.done()
