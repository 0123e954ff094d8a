#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What runtimes pass and ask beside a plain ADD: host ports, rate limits, chained plugins, GC of
one network among several, installation.

    node1: web, client     node2: other     outside
"""

import json
import os
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.fabric import Fabric, run
from vrtest.node import BUILD, SLOW, SRC, Pod, load_module, namespace_manifest, pod_manifest, service
from vrtest.probe import World
from vrtest.tap import Tap, wait_for
from vrtest.wired import Place

load_module()
tap = Tap("cni")
world = World()
fabric = Fabric(2)
nodes = fabric.nodes
node = nodes[1]
outside = Place(fabric.outside, "outside", ("192.0.2.254", "2001:db8::254"))
WAIT = 10 * SLOW
FAMILIES = ((4, 0), (6, 1))
PLUGINS = "/usr/lib/cni"
ON = {"web": 1, "client": 1, "taker": 1, "other": 2}
hosts, pods = {}, {}


def set_up():
    node.apply("10-namespaces", [namespace_manifest("default")])
    node.apply("20-pods", [pod_manifest("default", name, {"app": name}, node=f"node{n}") for name, n in ON.items()])
    for name in ("client", "other"):
        pods[name] = nodes[ON[name]].pod("default", name)
    for n, each in nodes.items():
        hosts[n] = Place(each.ns, f"host{n}", each.addrs)
    fabric.sync()


def mapping(host, container=80, protocol="tcp", **more):
    return {"hostPort": host, "containerPort": container, "protocol": protocol, **more}


def refused(res, code, part, what):
    """An error of CNI's form."""
    answer = json.loads(res.stdout) if res.stdout.strip() else {}
    tap.check(res.returncode == 1 and answer.get("code") == code and part in answer.get("msg", ""), what,
              f"{res.stdout}{res.stderr}\n{node.logs()}")


# --- host ports -----------------------------------------------------------------

def serve(pod):
    for proto in ("tcp", "udp"):
        world.serve(pod, proto, 80)


def ask(who, proto, addr, port):
    return world.ask(who, proto, addr, port, WAIT)


def who_reaches(port, what, protos=("tcp", "udp")):
    for family, i in FAMILIES:
        addr = node.addrs[i]
        for proto in protos:
            got = {who.name: ask(who, proto, addr, port) for who in
                   (outside, hosts[1], hosts[2], pods["client"], pods["other"], pods["web"])}
            tap.equal(got, dict.fromkeys(got, "default/web"), f"{what}: IPv{family} {proto}")
    tap.equal(ask(outside, "tcp", nodes[2].addrs[0], port), "refused", f"{what}: not on the other node")
    tap.equal(ask(pods["client"], "tcp", nodes[2].addrs[0], port), "refused", f"{what}: nor for pods there")


def host_ports():
    pods["web"] = node.pod("default", "web", runtimeConfig={"portMappings": [
        mapping(8080), mapping(8080, protocol="UDP"), mapping(8081, hostIP=node.addrs[0]),
        mapping(8082, hostIP="::"), mapping(0)]})
    serve(pods["web"])
    who_reaches(8080, "host port")
    world.seen.clear()
    ask(outside, "udp", node.addrs[0], 8080)
    tap.equal(world.seen, [("default/web", "192.0.2.254")], "the pod sees the client's own address")
    world.serve(hosts[1], "tcp", 9100)
    for name in ("client", "other"):
        tap.equal([ask(pods[name], "tcp", a, 9100) for a in node.addrs], ["host1"] * 2, f"what else the node serves, asked by {name}")
        ping = pods[name].ns.run(["ping", "-n", "-c", "1", "-W", str(WAIT), node.addrs[0]], check=False)
        tap.check(ping.returncode == 0, f"and it answers ping, asked by {name}", ping.stdout)
    for port, want in ((8081, ("default/web", "refused")), (8082, ("refused", "default/web"))):
        tap.equal(tuple(ask(outside, "tcp", node.addrs[i], port) for i in (0, 1)), want,
                  f"hostIP: port {port} at the addresses it is for")


def host_ports_restart():
    node.kill_daemon()
    node.start_daemon()
    node.sync()
    who_reaches(8080, "vrouterd started again", ("tcp",))
    tap.check("refuses" not in node.logs(), "nothing was refused on the way", node.logs())


def host_port_conflicts():
    objects = [service("default", "np", [(80, 80, "TCP")], {"app": "web"}, type="NodePort")]
    objects[0]["spec"]["ports"][0]["nodePort"] = 30080
    node.apply("30-services", objects)
    node.sync()
    taker = Pod(node, "default", "taker")
    for ports, code, part in (
            ([mapping(8080)], 7, "hostPort 8080/TCP is that of pod default/web"),
            ([mapping(8081)], 7, "hostPort 8081/TCP is that of pod default/web"),
            ([mapping(30080)], 7, "hostPort 30080/TCP is a node port of service default/np"),
            ([mapping(9, hostIP="203.0.113.77")], 7, "hostIP 203.0.113.77 is not an address of this node"),
            ([mapping(9, hostIP="127.0.0.1")], 7, "hostIP 127.0.0.1 is a loopback address"),
            ([mapping(70000)], 7, "runtimeConfig.portMappings[0].hostPort: must be a port, 0 to 65535"),
            ([mapping(9, protocol="icmp")], 7, "portMappings[0].protocol")):
        refused(taker.cni("ADD", runtimeConfig={"portMappings": ports}), code, part, part)
    tap.check("eth0" not in taker.ns.run(["ip", "link"]).stdout, "a refused pod has no interface left")
    who_reaches(8080, "after all that", ("tcp",))
    pods.pop("web").delete()
    tap.equal(ask(outside, "tcp", node.addrs[0], 8080), "refused", "DEL: nobody has the port any more")
    taker.attach(runtimeConfig={"portMappings": [mapping(8080)]})
    serve(taker)
    tap.equal(ask(outside, "tcp", node.addrs[0], 8080), "default/taker", "and another pod can have it")
    taker.delete()
    node.delete("30-services")
    node.sync()


# --- rate limits ------------------------------------------------------------------

RATE = 8_000_000        # bits a second
BURST = 400_000         # bits


def bucket(dev):
    """Counters of the device's token bucket."""
    out = json.loads(node.ns.run(["tc", "-s", "-j", "qdisc", "show", "dev", dev, "root"]).stdout)
    return next(q for q in out if q["kind"] == "tbf")


def devices():
    return {link["ifname"] for link in json.loads(node.ns.run(["ip", "-j", "link"]).stdout)}


def passes(src, dst, family, dev, what):
    """As much as is sent goes by the bucket, at no more than the rate, and arrives."""
    octets = 400_000
    before, start = bucket(dev), time.monotonic()
    with dst.ns, socket.create_server(("::", 5000), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        with src.ns:
            client = socket.create_connection((dst.addr(family), 5000), WAIT)
        peer, _ = server.accept()
        with client, peer:
            peer.settimeout(60 * SLOW)
            sender = threading.Thread(target=client.sendall, args=(bytes(octets),))
            sender.start()
            got = 0
            while got < octets:
                got += len(peer.recv(65536))
            sender.join()
    after, spent = bucket(dev), time.monotonic() - start
    sent = after["bytes"] - before["bytes"]
    tap.check(got == octets and sent >= octets, f"{what}: all goes by the bucket", (got, before, after))
    tap.check(sent <= (BURST + RATE * spent) / 8 + 65536, f"{what}: at no more than its rate", (sent, spent))
    # a machine that is busy with other things may be slower than the rate
    slower = (sent * 8 - BURST) / spent < 0.8 * RATE
    tap.check(after["overlimits"] > before["overlimits"] or slower, f"{what}: which held packets back", (before, after, spent))


def rate_limits():
    limits = {"bandwidth": {"ingressRate": RATE, "ingressBurst": BURST, "egressRate": RATE, "egressBurst": BURST}}
    web = pods["web"] = node.pod("default", "web", runtimeConfig=limits)
    veth = web.result["interfaces"][0]["name"]
    ifb = "vi" + veth[2:]
    for family in (4, 6):
        passes(pods["client"], web, family, veth, f"to the pod, IPv{family}")
        passes(web, pods["client"], family, ifb, f"from the pod, IPv{family}")
    check = web.cni("CHECK", prevResult=web.result, runtimeConfig=limits)
    tap.check(check.returncode == 0, "CHECK agrees", check.stdout)
    node.ns.run(["tc", "qdisc", "del", "dev", ifb, "root"])
    refused(web.cni("CHECK", prevResult=web.result, runtimeConfig=limits), 101,
            f"bandwidth: the rate of {ifb} is 0 bits a second, not {RATE}", "CHECK sees that a limit is gone")
    pods.pop("web").delete()
    tap.equal({veth, ifb} & devices(), set(), "DEL leaves no device")


def rate_limit_of_a_flood():
    """What does not fit is dropped, and other pods are served meanwhile."""
    # less than the slowest kernel sends
    limits = {"bandwidth": {"egressRate": 200_000, "egressBurst": 2**32 - 1}}
    web = pods["web"] = node.pod("default", "web", runtimeConfig=limits)
    ifb = "vi" + web.result["interfaces"][0]["name"][2:]
    tap.check(bucket(ifb)["options"]["burst"] < 100_000, "a burst that nobody said is a small one", bucket(ifb))
    with web.ns, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)

        def flooded():
            for _ in range(100):
                try:
                    sock.sendto(b"x" * 1200, (pods["client"].v4, 9))
                except (BlockingIOError, ConnectionRefusedError):
                    pass
            return bucket(ifb)["drops"] > 0
        wait_for(flooded, "drops of the bucket", 60 * SLOW)
    world.serve(pods["client"], "tcp", 7001)
    tap.equal(ask(pods["other"], "tcp", pods["client"].v4, 7001), "default/client", "others are served")
    pods.pop("web").delete()


def bad_rates():
    taker = Pod(node, "default", "taker")
    refused(taker.cni("ADD", runtimeConfig={"bandwidth": {"ingressRate": "1M"}}), 7,
            "runtimeConfig.bandwidth.ingressRate: must be a whole number of bits", "a rate that is no number")
    taker.ns.delete()


# --- chains -----------------------------------------------------------------------

def chain():
    """As a runtime does: each plugin gets the result of the one before; DEL goes backwards."""
    tuning = {"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.log_martians": "1"}}
    limit = {"type": "bandwidth", "ingressRate": RATE, "ingressBurst": BURST, "egressRate": RATE,
             "egressBurst": BURST}
    taker = Pod(node, "default", "taker").attach()
    result = taker.result
    for conf in (tuning, limit):
        res = taker.cni("ADD", conf["type"], PLUGINS, prevResult=result, **conf)
        tap.check(res.returncode == 0, f"{conf['type']}: ADD with contrail-cni's result", res.stdout + res.stderr)
        result = json.loads(res.stdout)
    tap.equal(result["ips"], taker.result["ips"], "the result goes through the chain")
    tap.equal(taker.ns.run(["sysctl", "-n", "net.ipv4.conf.eth0.log_martians"]).stdout.strip(), "1",
              "tuning has tuned the pod")
    world.serve(taker, "tcp", 80)
    tap.equal(ask(pods["other"], "tcp", taker.v4, 80), "default/taker", "and the pod is reached")
    check = taker.cni("CHECK", prevResult=result)
    tap.check(check.returncode == 0, "CHECK agrees with the chain's result", check.stdout)
    for conf in (limit, tuning):
        res = taker.cni("DEL", conf["type"], PLUGINS, prevResult=result, **conf)
        tap.check(res.returncode == 0, f"{conf['type']}: DEL", res.stdout)
    res = taker.cni("DEL", prevResult=result)
    tap.check(res.returncode == 0, "DEL", res.stdout)
    tap.check(result["interfaces"][0]["name"] not in devices(), "nothing is left")
    taker.ns.delete()


def later_in_a_chain():
    prev = {"cniVersion": "1.0.0", "interfaces": [{"name": "dummy0", "sandbox": "/x"}],
            "ips": [{"address": "192.0.2.77/32", "interface": 0}], "dns": {"nameservers": ["192.0.2.53"]}}
    taker = Pod(node, "default", "taker").attach(prevResult=prev)
    tap.equal([i["name"] for i in taker.result["interfaces"]][::2], ["dummy0", "eth0"],
              "what plugins before made stays in the result")
    tap.equal((taker.result["ips"][1]["interface"], taker.result["dns"]), (2, prev["dns"]), "and indices count on")
    taker.delete()


def second_add():
    """The pod's interfaces are made by one call: another one does not take them away."""
    res = pods["client"].cni("ADD", env={"CNI_IFNAME": "net7"})
    refused(res, 7, "its interfaces were made with eth0", "a second ADD for another interface")
    world.serve(pods["client"], "tcp", 7002)
    tap.equal(ask(pods["other"], "tcp", pods["client"].v4, 7002), "default/client", "the first one is untouched")


# --- GC, installation -------------------------------------------------------------

def is_attached(name):
    return any(v.get("label") == f"default/{name}" for v in node.vrctl("vif", "show"))


def gc_of_one_network():
    Pod(node, "default", "taker").attach(cniVersion="1.1.0", name="storage")
    keep = [{"containerID": "c-default-client", "ifname": "eth0"}]
    conf = {"cniVersion": "1.1.0", "cni.dev/valid-attachments": []}

    def collect(**more):
        res = pods["client"].cni("GC", **{**conf, **more})
        tap.check(res.returncode == 0, "GC", res.stdout)
        return is_attached("client"), is_attached("taker")
    tap.equal(collect(name="third"), (True, True), "GC of a network that has no pod")
    tap.equal(collect(name="storage"), (True, False), "GC ends what is of the network named storage")
    tap.equal(collect(**{"cni.dev/valid-attachments": keep}), (True, False), "GC keeps what the runtime has")
    run(["ip", "netns", "del", "p-default-taker"])


def installation():
    with tempfile.TemporaryDirectory() as top:
        for name in ("bin", "conf"):
            os.mkdir(f"{top}/{name}")
        with open(f"{top}/bin/.contrail-cni.new", "w", encoding="utf-8") as f:
            f.write("what an install left that was killed")
        sample = f"{SRC}/userspace/deploy/cni/10-vrouter.conflist"
        run([f"{BUILD}/contrail-cni", "--install", f"{top}/bin", sample, f"{top}/conf"])
        tap.equal((os.listdir(f"{top}/bin"), os.listdir(f"{top}/conf")), (["contrail-cni"], ["10-vrouter.conflist"]),
                  "the plugin and its configuration, and nothing else")
        res = pods["client"].cni("VERSION", path=f"{top}/bin")
        tap.check("1.1.0" in res.stdout, "what is installed runs", res.stdout)
        with open(f"{top}/conf/10-vrouter.conflist", encoding="utf-8") as f:
            conf = json.load(f)
        tap.equal((conf["cniVersions"], [p["type"] for p in conf["plugins"]]), (["1.0.0", "1.1.0"], ["contrail-cni"]),
                  "the configuration is whole")
        with open(f"{top}/bad.conflist", "w", encoding="utf-8") as f:
            f.write('{"plugins": [')
        res = run([f"{BUILD}/contrail-cni", "--install", f"{top}/bin", f"{top}/bad.conflist", f"{top}/conf"], check=False)
        tap.check(res.returncode == 1 and "bad.conflist: line 1" in res.stderr and len(os.listdir(f"{top}/conf")) == 1,
                  "a configuration that is none is not installed", res.stderr)
        res = run([f"{BUILD}/contrail-cni", "--install", "/nowhere"], check=False)
        tap.check(res.returncode == 1 and "/nowhere" in res.stderr, "a folder that is not there", res.stderr)


CASES = [(f.__name__, f) for f in (host_ports, host_ports_restart, host_port_conflicts, rate_limits,
                                   rate_limit_of_a_flood, bad_rates, chain, later_in_a_chain, second_add,
                                   gc_of_one_network, installation)]

set_up()
tap.run(CASES, os.environ.get("CASE"))
if tap.failed:
    tap.say(fabric.logs())
tap.done()
