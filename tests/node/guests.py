#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""guests.py N: one of three nodes that are machines of their own, on kernels of two versions.
tests/lib/guests.sh boots them and joins their eth0.

Each has manager and daemon and the same manifests, so all agree on names, addresses and network
numbers. What the others' pods and nodes answer is asked here; the others ask at the same time.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.netns import run
from vrtest.node import Node, namespace_manifest, node_manifest, pod_manifest, policy, service
from vrtest.probe import Probe, World
from vrtest.tap import Tap, wait_for
from vrtest.wired import Place

ME = int(sys.argv[1])
OTHERS = [n for n in (1, 2, 3) if n != ME]
UNDERLAY = {n: (f"192.0.2.{n}", f"2001:db8::{n}") for n in (1, 2, 3)}
PODS = {n: (f"10.32.0.{10 + n}", f"fd00:32::{10 + n}") for n in (1, 2, 3)}
FAMILIES = ((4, 0), (6, 1))
WAIT = 60
TOGETHER = 400    # seconds: machines that are emulated differ in speed
SIZE = 1 << 20
READY, ASKED, POLICY, CLOSED, DONE = 9999, 9998, 9997, 9996, 9995
tap = Tap(f"guests: node{ME}")
world = World()


def link():
    """The machine's network interface goes into the node's namespace."""
    run(["modprobe", "virtio_net"])
    wait_for(lambda: os.path.exists("/sys/class/net/eth0"), "eth0", WAIT)
    run(["ip", "link", "set", "eth0", "netns", node.ns.name])
    for words in ("link set eth0 up", f"addr add {UNDERLAY[ME][0]}/24 dev eth0",
                  f"addr add {UNDERLAY[ME][1]}/64 dev eth0 nodad"):
        node.ns.run(["ip", *words.split()])


def manifests():
    for n in OTHERS:
        node.apply(f"00-node{n}", [node_manifest(f"node{n}", UNDERLAY[n])])
    ports = [("http", 8080, "TCP"), ("dns", 8053, "UDP")]
    node.apply("10-pods", [namespace_manifest("default")] + [
        pod_manifest("default", f"web-{n}", {"app": "web"}, ports, node=f"node{n}", podIP=PODS[n][0],
                     podIPs=[{"ip": a} for a in PODS[n]]) for n in (1, 2, 3)])
    web = service("default", "web", [(80, 8080, "TCP"), (53, 8053, "UDP")], {"app": "web"}, type="NodePort",
                  clusterIP="10.96.0.80", clusterIPs=["10.96.0.80", "fd00:96::80"])
    for port in web["spec"]["ports"]:
        port["nodePort"] = 30000 + port["port"]
    node.apply("20-services", [web])


def answers(place, addr, port, want):
    return world.ask(place, "tcp", addr, port, 2) == want


def together(port):
    """Goes on when all nodes are here. Who has heard of all others, and was heard by them, may leave."""
    world.serve(host, "tcp", port)
    for n in OTHERS:
        wait_for(lambda n=n: answers(host, UNDERLAY[n][0], port, f"host{n}"), f"node{n}", TOGETHER)
    want = {UNDERLAY[n][0] for n in OTHERS}

    def heard():
        world.step()
        return want <= {c for name, c in world.seen if name == host.name}
    wait_for(heard, "all other nodes", TOGETHER)
    world.seen.clear()


def served():
    """A web server in the pod, with a file of a megabyte."""
    folder = tempfile.mkdtemp(prefix="vr-www-")
    with open(f"{folder}/bulk", "wb") as out:
        out.write(bytes(range(256)) * (SIZE // 256))
    # pylint: disable-next=consider-using-with
    proc = pod.ns.popen([sys.executable, "-m", "http.server", "-d", folder, "--bind", "::", "8000"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: ":8000" in pod.ns.run(["ss", "-ltn"]).stdout, "the web server", WAIT)
    return folder, proc


def fetch(addr):
    """A megabyte from another node's pod, while this one goes on serving."""
    host_part = f"[{addr}]" if ":" in addr else addr
    proc = pod.ns.popen(["curl", "-sS", "-m", str(WAIT), f"http://{host_part}:8000/bulk"], stdout=subprocess.PIPE)
    data = b""
    os.set_blocking(proc.stdout.fileno(), False)
    while True:
        world.step()
        more = proc.stdout.read()
        if more:
            data += more
        elif more == b"":
            proc.wait()
            return data == bytes(range(256)) * (SIZE // 256)


def pinged(addr):
    proc = pod.ns.popen(["ping", "-n", "-c", "1", "-W", str(WAIT), "-s", "4000", addr], stdout=subprocess.DEVNULL)
    while proc.poll() is None:
        world.step()
    return proc.returncode == 0


def across():
    for n in OTHERS:
        for family, i in FAMILIES:
            what = f"node{n}'s pod (IPv{family})"
            tap.check(pinged(PODS[n][i]), f"a ping of 4000 octets to {what}")
            for proto, port in (("tcp", 8080), ("udp", 8053)):
                tap.equal(world.ask(pod, proto, PODS[n][i], port, WAIT), f"default/web-{n}", f"{proto} to {what}")
                tap.equal(world.ask(host, proto, PODS[n][i], port, WAIT), f"default/web-{n}",
                          f"{proto} from the node to {what}")
            tap.check(fetch(PODS[n][i]), f"a megabyte by HTTP from {what}")


def services():
    everybody = {f"default/web-{n}" for n in (1, 2, 3)}
    for family, i in FAMILIES:
        vip = ("10.96.0.80", "fd00:96::80")[i]
        got = world.run([Probe(pod, "tcp", vip, 80) for _ in range(40)], seconds=WAIT)
        tap.equal(set(got), everybody, f"the pods of all nodes serve (IPv{family})")
        got = world.run([Probe(host, "tcp", UNDERLAY[OTHERS[0]][i], 30080) for _ in range(40)], seconds=WAIT)
        tap.equal(set(got), everybody, f"and by the node port of another node (IPv{family})")


def closed():
    """What a policy does not open, the node of who is asked drops. Not before all have asked all else."""
    together(ASKED)
    node.apply("30-policy", [policy("default", "closed", ingress=[{"ports": [{"port": 8080}]}])])
    node.sync()
    together(POLICY)
    following = ME % 3 + 1
    tap.equal(world.ask(pod, "tcp", PODS[following][0], 8080, WAIT), f"default/web-{following}", "a port that a policy opens")
    probe = Probe(pod, "tcp", PODS[following][0], 9000)
    # the node that comes before this one asks the same of it
    wait_for(lambda: world.step() or node.drops("sg-ingress"), "a drop", WAIT)
    tap.check(True, "and one that it does not is dropped by the node of who is asked")
    together(CLOSED)
    probe.ready()
    tap.equal(probe.result, None, "and nothing comes back")
    probe.close()


node = Node(f"node{ME}", addrs=UNDERLAY[ME], args=("--encap", "vxlan", "--external"))
link()
manifests()
node.start()
pod = node.pod("default", f"web-{ME}")
node.sync()
host = Place(node.ns, f"host{ME}", UNDERLAY[ME])
world.serve(pod, "tcp", 8080)
world.serve(pod, "udp", 8053)
www, server = served()
together(READY)
tap.say(f"kernel {platform.release()}")
tap.check(platform.release().startswith(os.environ["VROUTER_KERNEL"]), f"this is kernel {os.environ['VROUTER_KERNEL']}")
tap.run([(f.__name__, f) for f in (across, services, closed)])
together(DONE)
server.kill()
shutil.rmtree(www)
node.stop()
tap.done()
