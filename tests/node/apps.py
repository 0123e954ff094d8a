#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Real applications between nodes: iperf3, nginx and curl, dnsmasq and dig, ping, SCTP, over
underlays of several MTUs and one that loses and reorders.
"""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric
from vrtest.node import SLOW, namespace_manifest, pod_manifest, service
from vrtest.probe import World, family_of
from vrtest.tap import Tap, wait_for

tap = Tap("apps")
world = World()
fabric = Fabric(3, manager_args=("--mtu", "9000"))
nodes = fabric.nodes
WAIT = 20 * SLOW
FAMILIES = ((4, 0), (6, 1))
ON = {"client": 1, "perf": 2, "web": 3, "dns": 2, "jumbo": 1, "jumbo-web": 3}
PORTS = {"perf": [(5201, 5201, "TCP"), (5201, 5201, "UDP")], "web": [(80, 80, "TCP")], "dns": [(53, 53, "UDP"), (7, 7, "UDP")],
         "jumbo-web": [(80, 80, "TCP")]}
BODY = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(1 << 15))  # 1 MiB
TXT = ["".join(chr(97 + (i + j) % 26) for j in range(250)) for i in range(15)]
pods, running = {}, []
work = nodes[1].dir


def start(pod, argv, **kw):
    """A server, until the suite ends."""
    running.append(pod.ns.popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw))


def listens(pod, proto, port):
    wait_for(lambda: pod.ns.run(["ss", "-Hln" + proto[0], f"sport = :{port}"]).stdout.strip(), f"{pod.name} serves port {port}", WAIT)


def nginx(pod):
    root = f"{work}/{pod.short}"
    os.makedirs(root)
    with open(f"{root}/body", "wb") as f:
        f.write(BODY)
    with open(f"{root}/conf", "w", encoding="utf-8") as f:
        f.write(f"daemon off; master_process off; user root; pid {root}/pid; error_log {root}/error.log;"
                "events {} http { access_log off; client_body_temp_path /tmp; server { listen 80; listen [::]:80; "
                f"root {root}; }} }}")
    start(pod, ["nginx", "-c", f"{root}/conf", "-e", f"{root}/error.log"])
    listens(pod, "tcp", 80)


def echo(pod, port):
    """Datagrams, each whole, there and back."""
    start(pod, [sys.executable, "-c", f"""
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", {port}))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data[::-1], peer)
"""])
    listens(pod, "udp", port)


def set_up():
    # a burst of datagrams waits in a socket while the server's process gets no time: see iperf()
    for limit in ("rmem_max", "wmem_max"):
        with open(f"/proc/sys/net/core/{limit}", "w", encoding="ascii") as f:
            f.write(str(4 << 20))
    nodes[1].apply("10-namespaces", [namespace_manifest("default")])
    nodes[1].apply("20-pods", [pod_manifest("default", name, {"app": name}, node=f"node{n}") for name, n in ON.items()])
    nodes[1].apply("30-services", [service("default", name, ports, {"app": name}) for name, ports in PORTS.items()])
    for name in ("client", "perf", "web", "dns"):
        pods[name] = nodes[ON[name]].pod("default", name)
    fabric.sync()
    start(pods["perf"], ["iperf3", "-s"])
    listens(pods["perf"], "tcp", 5201)
    nginx(pods["web"])
    start(pods["dns"], ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--edns-packet-max=4096",
                        "--bind-interfaces", "--interface=eth0", "--txt-record=big.test," + ",".join(TXT)])
    listens(pods["dns"], "udp", 53)
    echo(pods["dns"], 7)


def ways(name, family):
    """To the pod itself and by its service."""
    return (("pod", pods[name].addr(family)), ("service", nodes[1].vip("default", name, family)))


def perf(addr, *words):
    res = pods["client"].ns.run(["iperf3", "-J", "-c", addr, *words], check=False, timeout=60 * SLOW)
    out = json.loads(res.stdout)
    return out.get("error") or out["end"]


def where_lost():
    """The counters of sockets and nodes, for who has to find out."""
    sockets = {name: pods[name].ns.run(["nstat", "-as", "Udp*"]).stdout for name in ("client", "perf")}
    return sockets, [node.vrctl("drops", "show") for node in nodes.values()]


def iperf():
    """iperf3, TCP and UDP, with and without segmentation by the devices."""
    for offload in ("on", "off"):
        for pod in (pods["client"], pods["perf"]):
            pod.ns.run(["ethtool", "-K", "eth0", "tso", offload, "gso", offload, "gro", offload], check=False)
        for family, _ in FAMILIES:
            for what, addr in ways("perf", family):
                name = f"{what}, IPv{family}, offloads {offload}"
                for more in ((), ("-R",)):
                    end = perf(addr, "-n", "2M", *more)
                    # the receiver stops counting when the sender has handed over its last: http() looks at whole bodies
                    good = isinstance(end, dict) and end["sum_sent"]["bytes"] >= 2 << 20 and end["sum_received"]["bytes"] >= 1 << 18
                    tap.check(good, f"TCP{' back' if more else ''}: {name}", end)
                # buffers that hold them all: what is lost then is lost on the way, not at a busy machine's server
                end = perf(addr, "-u", "-b", "4M", "-l", "1200", "-n", "240K", "-w", "1M")
                good = isinstance(end, dict) and end["sum"]["packets"] >= 200 and end["sum"]["lost_packets"] == 0
                tap.check(good, f"UDP without loss: {name}", good or (end, where_lost()))


def fetch(src, addr):
    host = f"[{addr}]" if ":" in addr else addr
    res = src.ns.run(["curl", "-sS", "-g", "--max-time", str(60 * SLOW), "-o", f"{work}/got", f"http://{host}/body"], check=False)
    if res.returncode:
        return res.stderr
    with open(f"{work}/got", "rb") as f:
        return f.read() == BODY


def http():
    """nginx and curl: bodies of 1 MiB, at several MTUs; the last one loses, delays and reorders."""
    for mtu in (1500, 1330):
        fabric.mtu(mtu)
        for family, _ in FAMILIES:
            for what, addr in ways("web", family):
                tap.equal(fetch(pods["client"], addr), True, f"HTTP by {what}, IPv{family}, underlay's MTU {mtu}")
    fabric.mtu(1500)
    fabric.netem("delay", "3ms", "2ms", "loss", "1%", "reorder", "10%")
    for family, _ in FAMILIES:
        for what, addr in ways("web", family):
            tap.equal(fetch(pods["client"], addr), True, f"HTTP by {what}, IPv{family}, over a bad underlay")
    fabric.netem()


def dns():
    """dnsmasq and dig: answers of nearly 4 kB, which come in fragments."""
    for family, _ in FAMILIES:
        for what, addr in ways("dns", family):
            res = pods["client"].ns.run(["dig", f"@{addr}", "+notcp", "+ignore", "+bufsize=4096", f"+time={3 * SLOW}", "+tries=2",
                                         "big.test", "TXT"], check=False)
            size = re.search(r"MSG SIZE\s+rcvd: (\d+)", res.stdout)
            tap.check(size and int(size.group(1)) > 3700 and TXT[-1] in res.stdout, f"by {what}, IPv{family}", res.stdout[-400:])


def datagrams():
    """A UDP datagram of 8 000 octets, pod to service to remote pod, and back."""
    for family, _ in FAMILIES:
        for what, addr in ways("dns", family):
            with pods["client"].ns:
                sock = socket.socket(family_of(addr), socket.SOCK_DGRAM)
            sock.settimeout(WAIT)
            sock.connect((addr, 7))
            for size in (1, 1400, 1423, 1473, 4000, 8000):
                data = BODY[:size]
                sock.send(data)
                tap.equal(sock.recv(65536) == data[::-1], True, f"{size} octets by {what}, IPv{family}")
            sock.close()


def ping(src, addr, size, *words):
    return src.ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), "-s", str(size), *words, addr], check=False)


def sizes():
    """ping over sizes, with and without fragments; what is too large is told with the right MTU."""
    for family, _ in FAMILIES:
        addr, head = pods["web"].addr(family), 28 if family == 4 else 48
        for size in (0, 56, 1000, 1450 - head - 1, 1450 - head, 1450 - head + 1, 1500, 2000, 3000, 4500, 8000, 8972):
            tap.equal(ping(pods["client"], addr, size).returncode, 0, f"{size} octets (IPv{family})")
        tap.equal(ping(pods["client"], addr, 1450 - head, "-M", "do").returncode, 0, f"the largest in one piece (IPv{family})")
        res = ping(pods["client"], addr, 1450 - head + 1, "-M", "do")
        tap.check(res.returncode and "1450" in res.stdout + res.stderr, f"one more is told the MTU (IPv{family})", res.stdout)


def sctp():
    """SCTP to a pod of another node and back."""
    for src, dst in (("client", "web"), ("web", "client")):
        server = world.serve(pods[dst], "sctp", 8090)
        for family, _ in FAMILIES:
            tap.equal(world.ask(pods[src], "sctp", pods[dst].addr(family), 8090, seconds=WAIT), f"default/{dst}",
                      f"{src} to {dst} (IPv{family})")
        world.remove(server)


def jumbo():
    """An underlay of 9000 octets: new pods use it, old ones go on with what they have."""
    fabric.mtu(9000)
    for n in (1, 3):
        wait_for(lambda n=n: "mtu 8950" in nodes[n].ns.run(["ip", "link", "show", "vrouter0"]).stdout, f"node{n} follows", WAIT)
    for name in ("jumbo", "jumbo-web"):
        pods[name] = nodes[ON[name]].pod("default", name)
    nginx(pods["jumbo-web"])
    for family, _ in FAMILIES:
        head = 28 if family == 4 else 48
        tap.equal(ping(pods["jumbo"], pods["jumbo-web"].addr(family), 8950 - head, "-M", "do").returncode, 0,
                  f"8950 octets in one piece (IPv{family})")
        for what, addr in ways("jumbo-web", family):
            tap.equal(fetch(pods["jumbo"], addr), True, f"HTTP by {what}, IPv{family}, underlay's MTU 9000")
            tap.equal(fetch(pods["client"], addr), True, f"by a pod with a smaller MTU (IPv{family})")
    fabric.mtu(1500)
    for family, _ in FAMILIES:
        for what, addr in ways("jumbo-web", family):
            tap.equal(fetch(pods["jumbo"], addr), True, f"HTTP by {what}, IPv{family}, the underlay's MTU back at 1500")


def end():
    for proc in running:
        proc.send_signal(signal.SIGKILL)
        proc.wait()


set_up()
tap.run([(f.__name__, f) for f in (iperf, http, dns, datagrams, sizes, sctp, jumbo)], only=os.environ.get("CASE"))
end()
tap.done()
