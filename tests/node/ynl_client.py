#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The netlink family as the kernel tree's own Python client sees it through
uapi/vrouter.yaml: objects set, shown, refused, told of and deleted.

Environment: VROUTER_SRC, VROUTER_KO; YNL_DIR = tools/net/ynl/pyynl of a kernel
tree, by default the newest one in the cache of tests/lib/kernels.sh.
"""

import errno
import glob
import os
import socket
import sys
import traceback

SRC = os.environ.get("VROUTER_SRC") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SRC, "tests", "lib"))
# pylint: disable=wrong-import-position
from vrtest.netns import Netns, run
from vrtest.node import load_module
from vrtest.tap import Tap, wait_for

SPEC = os.path.join(SRC, "uapi", "vrouter.yaml")
TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58
V4, V6 = 2, 10
ONE_REPLY = 4000  # what certainly does not fit in one dump message


def ynl_dir():
    """Where the client is; a failure when it is nowhere."""
    cache = os.environ.get("VROUTER_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vrouter")
    found = sorted(glob.glob(f"{cache}/source/*/tools/net/ynl/pyynl"))
    where = os.environ.get("YNL_DIR") or (found[-1] if found else "")
    if not os.path.isdir(os.path.join(where, "lib")):
        print("not ok 1 - ynl_client: no kernel source with the YNL client: set YNL_DIR, or "
              "tests/lib/kernels.sh source sid\n1..1")
        sys.exit(1)
    return where


sys.path.insert(0, ynl_dir())
from lib import Netlink, NlError, YnlFamily  # pylint: disable=import-error

CREATE = [Netlink.NLM_F_CREATE]
ADD = [Netlink.NLM_F_CREATE, Netlink.NLM_F_EXCL]
REPLACE = [Netlink.NLM_F_REPLACE]
SET = [Netlink.NLM_F_CREATE, Netlink.NLM_F_REPLACE]

tap = Tap("ynl_client")


class Client:
    """The family in a network namespace."""

    def __init__(self, ns):
        self.ns = ns
        self.ynl = self.open()

    def open(self):
        """Another socket there."""
        with self.ns:
            return YnlFamily(SPEC, schema="")

    def do(self, name, flags=None, **attrs):
        return self.ynl.do(name, {k.replace("_", "-"): v for k, v in attrs.items()},
                           list(flags or []))

    def dump(self, name, **attrs):
        return self.ynl.dump(name, {k.replace("_", "-"): v for k, v in attrs.items()})

    def close(self):
        self.ynl.close()


def fails(client, what, err, name, attrs, flags=None, bad=None, miss=None, says=None):
    """A request is refused with this errno, blamed attribute and a sentence."""
    try:
        client.ynl.do(name, attrs, list(flags or []))
    except NlError as e:
        extack = e.nl_msg.extack or {}
        seen = (f"{errno.errorcode.get(e.error, e.error)} {extack}, wanted "
                f"{errno.errorcode[err]} bad={bad} miss={miss} says={says}")
        good = e.error == err and extack.get("msg")
        good = good and (not bad or extack.get("bad-attr", "").endswith(bad))
        good = good and (not miss or extack.get("miss-type") == miss)
        good = good and (not says or says in extack["msg"])
        tap.check(good, f"refused: {what}", seen)
        return
    tap.check(False, f"refused: {what}", "it was not")


def veth(ns, name, peer):
    ns.run(["ip", "link", "add", name, "type", "veth", "peer", "name", peer])
    ns.run(["ip", "link", "set", name, "up"])


MAC = bytes.fromhex("020000000001")


def vif(number, **more):
    """Attributes of a vif on veth v<number>."""
    return {"id": number, "ifname": f"v{number}", "vrf": 1, "mac": MAC, **more}


def test_empty(c):
    for name in ("vrf", "vif", "nexthop", "route", "vip", "sg"):
        tap.equal(c.dump(f"{name}-get"), [], f"no {name} in a new namespace")
    tap.equal(c.dump("flow-get"), [], "no flow in a new namespace")


def test_vrf(c):
    c.do("vrf-new", ADD, id=1, label="default/pods", gateway=["169.254.1.1", "fe80::1"])
    vrf = c.do("vrf-get", id=1)
    tap.equal((vrf["id"], vrf["label"], vrf["gateway"], vrf["routes"]),
              (1, "default/pods", ["169.254.1.1", "fe80::1"], 0), "VRF as it was given")
    tap.check("rx-packets" in vrf["counters"], "VRF has counters", vrf)
    fails(c, "VRF again with NLM_F_EXCL", errno.EEXIST, "vrf-new", {"id": 1}, ADD)
    fails(c, "replace of a VRF that is not there", errno.ENOENT, "vrf-new", {"id": 9}, REPLACE)
    c.do("vrf-new", REPLACE, id=1, label="pods", gateway=["169.254.1.1", "fe80::1"])
    tap.equal(c.do("vrf-get", id=1)["label"], "pods", "VRF replaced")
    c.do("vrf-new", CREATE, id=4294967295)
    c.do("vrf-new", CREATE, id=2)
    tap.equal([v["id"] for v in c.dump("vrf-get")], [1, 2, 4294967295], "VRFs in order of id")
    c.do("vrf-del", id=4294967295)
    fails(c, "VRF that is not there", errno.ENOENT, "vrf-get", {"id": 3}, bad="id", says="does not exist")


def test_vif(c):
    for i in (1, 2, 3):
        veth(c.ns, f"v{i}", f"p{i}")
    c.ynl.do("vif-new", vif(1, label="default/web-0", addr=["10.0.0.1", "fd00::1"], mtu=1450,
                            **{"flow-limit": 100, "half-open-limit": 10}), ADD)
    got = c.do("vif-get", id=1)
    tap.equal([got.get(k) for k in ("ifname", "type", "vrf", "addr", "mtu", "label", "flow-limit",
                                    "half-open-limit", "flows", "half-open")],
              ["v1", "veth", 1, ["10.0.0.1", "fd00::1"], 1450, "default/web-0", 100, 10, 0, 0],
              "vif as it was given")
    tap.equal(got["mac"], "02:00:00:00:00:01", "its MAC")
    tap.equal(c.do("vif-get", ifname="v1")["id"], 1, "vif by device name")
    tap.equal(c.do("vif-get", ifindex=got["ifindex"])["id"], 1, "vif by device index")
    c.ynl.do("vif-new", vif(2, addr=["10.0.0.2"]), ADD)
    tap.equal([v["id"] for v in c.dump("vif-get")], [1, 2], "vifs in order of id")
    fails(c, "device that is attached already", errno.EBUSY, "vif-new",
          {**vif(3), "ifname": "v1"}, ADD, bad="ifname")


def test_nexthop(c):
    c.do("nexthop-new", ADD, id=1, type="local", vif=1, label="default/web-0")
    c.do("nexthop-new", ADD, id=2, type="local", vif=2)
    c.do("nexthop-new", ADD, id=3, type="blackhole")
    c.do("nexthop-new", ADD, id=4, type="host")
    c.do("nexthop-new", ADD, id=5, type="vrf", vrf=2)
    c.do("nexthop-new", ADD, id=6, type="ecmp", label="default/web", member=[
        {"addr": "10.0.0.1", "port": 8080, "weight": 3, "label": "web-0", "nexthop": 1},
        {"addr": "10.0.0.2", "port": 8080, "state": "draining"}])
    c.do("nexthop-new", ADD, id=7, type="ecmp")
    got = {n["id"]: n for n in c.dump("nexthop-get")}
    tap.equal([got[i]["type"] for i in range(1, 8)],
              ["local", "local", "blackhole", "host", "vrf", "ecmp", "ecmp"], "next hops dumped")
    tap.equal((got[1]["vif"], got[5]["vrf"], got[7]["members"]), (1, 2, 0), "what they point to")
    members = got[6]["member"]
    tap.equal([(m["addr"], m["port"], m["weight"], m["state"]) for m in members],
              [("10.0.0.1", 8080, 3, "active"), ("10.0.0.2", 8080, 1, "draining")], "members")
    tap.equal((members[0]["nexthop"], members[0]["label"]), (1, "web-0"), "a member's next hop")
    tap.equal([n["id"] for n in c.dump("nexthop-get", id=6)], [6], "dump of one next hop")


def test_route(c):
    c.do("vrf-new", ADD, id=11, label="routes")
    for addr, length, nh in (("10.0.0.0", 8, 3), ("10.0.0.1", 32, 1), ("0.0.0.0", 0, 4),
                             ("fd00::", 64, 3), ("fd00::1", 128, 1), ("10.0.0.0", 24, 2)):
        c.do("route-new", ADD, vrf=11, addr=addr, prefix_len=length, nexthop=nh)
    c.do("route-new", REPLACE, vrf=11, addr="10.0.0.1", prefix_len=32, nexthop=1, sg=[8, 7],
         label="default/web-0", node=True)
    got = [(r["addr"], r["prefix-len"]) for r in c.dump("route-get", vrf=11)]
    tap.equal(got, [("0.0.0.0", 0), ("10.0.0.0", 8), ("10.0.0.0", 24), ("10.0.0.1", 32),
                    ("fd00::", 64), ("fd00::1", 128)], "routes in order of prefix")
    tap.equal(len(c.dump("route-get", vrf=11, family=V6)), 2, "routes of one family")
    exact = c.do("route-get", vrf=11, addr="10.0.0.1", prefix_len=32)
    tap.equal((exact["nexthop"], exact["sg"], exact["label"], exact["node"]), (1, [7, 8], "default/web-0", True),
              "a route by its prefix")
    best = c.do("route-get", vrf=11, addr="10.0.0.77", lookup=True)
    tap.equal((best["addr"], best["prefix-len"], "node" in best), ("10.0.0.0", 24, False), "the longest prefix")
    fails(c, "look-up without a route", errno.ENOENT, "route-get",
          {"vrf": 11, "addr": "2001:db8::1", "lookup": True}, says="no route")
    fails(c, "route twice", errno.EEXIST, "route-new",
          {"vrf": 11, "addr": "10.0.0.0", "prefix-len": 24, "nexthop": 1}, ADD)
    c.do("route-del", vrf=11, addr="10.0.0.0", prefix_len=24)
    fails(c, "deleted route", errno.ENOENT, "route-get",
          {"vrf": 11, "addr": "10.0.0.0", "prefix-len": 24}, says="No such route")
    tap.equal(c.do("vrf-get", id=11)["routes"], 5, "the VRF counts its routes")


def test_vip(c):
    c.do("vip-new", ADD, vrf=1, addr="10.96.0.10", proto=TCP, port=80, nexthop=6,
         label="default/web", affinity_timeout=10800)
    c.do("vip-new", ADD, vrf=1, addr="10.96.0.10", proto=UDP, port=53, nexthop=6)
    c.do("vip-new", ADD, vrf=1, addr="fd96::10", proto=SCTP, port=80, nexthop=7)
    got = c.do("vip-get", vrf=1, addr="10.96.0.10", proto=TCP, port=80)
    tap.equal([got[k] for k in ("addr", "proto", "port", "nexthop", "affinity-timeout", "label")],
              ["10.96.0.10", TCP, 80, 6, 10800, "default/web"], "vip as it was given")
    tap.equal(len(c.dump("vip-get")), 3, "all vips")
    tap.equal(c.dump("vip-get", vrf=2), [], "no vip in another VRF")
    fails(c, "next hop that a vip uses", errno.EBUSY, "nexthop-del", {"id": 6}, bad="id")
    c.do("vip-del", vrf=1, addr="10.96.0.10", proto=UDP, port=53)
    tap.equal(len(c.dump("vip-get", vrf=1)), 2, "vip deleted")
    vip = {"vrf": 1, "addr": "10.96.0.10", "proto": TCP, "port": 80, "nexthop": 6}
    tap.check("sg" not in got, "a vip for all clients has no group")
    fails(c, "vip of no group", errno.ENOENT, "vip-new", {**vip, "sg": 99}, REPLACE, bad="sg", says="99 does not exist")
    c.do("sg-new", ADD, id=60, label="default/web@sources")
    c.do("vip-new", REPLACE, sg=60, **vip)
    tap.equal(c.do("vip-get", vrf=1, addr="10.96.0.10", proto=TCP, port=80)["sg"], 60, "a vip's group")
    tap.equal(c.do("sg-get", id=60)["users"], 1, "is used by it")
    fails(c, "group that a vip uses", errno.EBUSY, "sg-del", {"id": 60}, bad="id", says="used by 1")
    c.do("vip-new", REPLACE, **vip)
    c.do("sg-del", id=60)


RULES = [
    {"direction": "ingress", "proto": TCP, "port-min": 80, "label": "web"},
    {"direction": "ingress", "family": V4, "proto": UDP, "port-min": 1000, "port-max": 2000,
     "peer-sg": 7},
    {"direction": "egress", "proto": ICMP, "icmp-type": 8, "icmp-code": 0},
    {"direction": "egress", "proto": ICMP6, "icmp-type": 128},
    {"direction": "egress", "peer-prefix": {"addr": "10.0.0.0", "len": 8},
     "peer-except": [{"addr": "10.1.0.0", "len": 16}, {"addr": "10.2.0.0", "len": 16}]},
    {"direction": "egress", "proto": SCTP, "peer-prefix": {"addr": "fd00::", "len": 48}},
    {"direction": "ingress"},
]


def test_sg(c):
    c.do("sg-new", ADD, id=7, label="default/allow-web", rule=RULES)
    got = c.do("sg-get", id=7)
    tap.equal((got["rules"], got["users"], got["label"]), (len(RULES), 0, "default/allow-web"),
              "group as it was given")
    tap.check(set(got["enforce"]) == {"ingress", "egress"}, "both directions are closed", got)
    shown = [{k: v for k, v in r.items() if k not in ("index", "hits")} for r in got["rule"]]
    want = [dict(r) for r in RULES]
    want[0]["port-max"] = 80
    want[2]["family"], want[3]["family"] = V4, V6
    want[4]["family"], want[5]["family"] = V4, V6
    tap.equal(shown, want, "rules as they were given")
    c.do("sg-new", SET, id=8, enforce={"ingress"}, rule=RULES[:1])
    tap.equal([g["id"] for g in c.dump("sg-get")], [7, 8], "groups in order of id")
    c.ynl.do("vif-new", vif(2, addr=["10.0.0.2"], sg=[8, 7]), REPLACE)
    tap.equal(c.do("vif-get", id=2)["sg"], [7, 8], "the vif's groups")
    tap.equal(c.do("sg-get", id=7)["users"], 1, "the group counts its members")
    fails(c, "group that a vif is in", errno.EBUSY, "sg-del", {"id": 7}, bad="id")


def test_large(c):
    """Objects that take several messages of a dump."""
    members = [{"addr": f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", "port": 80, "label": "m" * 40}
               for i in range(256, 256 + ONE_REPLY)]
    send_room(c)
    c.do("nexthop-new", ADD, id=20, type="ecmp", member=members)
    parts = c.dump("nexthop-get", id=20)
    got = [m["addr"] for p in parts for m in p.get("member", [])]
    tap.check(len(parts) > 1, "members take several messages", len(parts))
    tap.equal(sorted(got), sorted(m["addr"] for m in members), "each member once")
    tap.equal({p["members"] for p in parts}, {ONE_REPLY}, "each part tells their number")
    tap.equal([p["id"] for p in c.dump("nexthop-get") if p["id"] != 20], [1, 2, 3, 4, 5, 6, 7],
              "the others once")
    rules = [{"direction": "ingress", "proto": TCP, "port-min": i + 1, "label": "r" * 40}
             for i in range(ONE_REPLY)]
    c.do("sg-new", ADD, id=20, rule=rules)
    got = [r["index"] for p in c.dump("sg-get", id=20) for r in p.get("rule", [])]
    tap.equal(got, list(range(ONE_REPLY)), "each rule once, in order")
    tap.equal(len(c.do("sg-get", id=20)["rule"]), ONE_REPLY, "a get gives all rules at once")
    wide = [{"direction": "egress", "peer-prefix": {"addr": "fd00::", "len": 16},
             "peer-except": [{"addr": f"fd00:{i:x}::", "len": 32} for i in range(256)]}] * 3
    c.do("sg-new", SET, id=20, rule=wide)
    got = [len(r["peer-except"]) for p in c.dump("sg-get", id=20) for r in p["rule"]]
    tap.equal(got, [256] * 3, "rules with as many exceptions as are allowed")
    c.do("sg-del", id=20)
    members += [{"addr": f"10.200.{i >> 8}.{i & 255}", "label": "x" * 300} for i in range(3000)]
    c.do("nexthop-new", REPLACE, id=20, type="ecmp", member=members)
    fails(c, "get of what is larger than a message may be", errno.EMSGSIZE, "nexthop-get",
          {"id": 20}, says="dump")
    tap.equal(sum(len(p.get("member", [])) for p in c.dump("nexthop-get", id=20)), len(members),
              "but a dump gives it")
    c.do("nexthop-del", id=20)


def send_room(c):
    """Room for one large request and reply."""
    c.ynl.sock.setsockopt(socket.SOL_SOCKET, 32, 16 << 20)  # SO_SNDBUFFORCE
    c.ynl.sock.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    c.ynl._recv_size = 2 << 20  # pylint: disable=protected-access


ECMP = {"id": 50, "type": "ecmp"}
ROUTE = {"vrf": 1, "addr": "10.9.0.0", "prefix-len": 16, "nexthop": 1}
VIP = {"vrf": 1, "addr": "10.96.0.99", "proto": TCP, "port": 80, "nexthop": 6}
TUPLE = {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": TCP, "dport": 80}


def rule(**more):
    return {"id": 50, "rule": [{"direction": "ingress", **more}]}


# what, errno, operation, attributes, blamed attribute, part of the sentence
REFUSED = [
    ("VRF 0", errno.ERANGE, "vrf-new", {"id": 0}, "id", "out of range"),
    ("address of three octets", errno.EINVAL, "vrf-new", {"id": 50, "gateway": [b"abc"]},
     "gateway", "4 or 16"),
    ("address of 17 octets", errno.ERANGE, "vrf-new", {"id": 50, "gateway": [b"a" * 17]},
     "gateway", None),
    ("multicast gateway", errno.EINVAL, "vrf-new", {"id": 50, "gateway": ["224.0.0.1"]},
     "gateway", "host can have"),
    ("gateway twice", errno.EINVAL, "vrf-new", {"id": 50, "gateway": ["10.0.0.1"] * 2},
     "gateway", "twice"),
    ("too many gateways", errno.E2BIG, "vrf-new",
     {"id": 50, "gateway": [f"10.0.0.{i + 1}" for i in range(17)]}, "gateway", "at most"),
    ("label too long", errno.EINVAL, "vrf-new", {"id": 50, "label": "x" * 320}, "label", None),
    ("output attribute as input", errno.EINVAL, "vrf-new", {"id": 50, "routes": 1}, "routes", None),
    ("vif without such a device", errno.ENODEV, "vif-new", vif(9), "ifname", "No such device"),
    ("vif in no VRF", errno.ENOENT, "vif-new", {**vif(3), "vrf": 99}, "vrf", "VRF"),
    ("vif with a multicast MAC", errno.EINVAL, "vif-new",
     {**vif(3), "mac": bytes.fromhex("010000000001")}, "mac", "unicast"),
    ("vif with the gateway's MAC", errno.EINVAL, "vif-new",
     {**vif(3), "mac": bytes.fromhex("00005e000100")}, "mac", "gateway"),
    ("vif with a short MAC", errno.ERANGE, "vif-new", {**vif(3), "mac": b"abc"}, "mac", None),
    ("MTU of 67", errno.EINVAL, "vif-new", vif(3, mtu=67), "mtu", "at least 68"),
    ("MTU of 65536", errno.ERANGE, "vif-new", vif(3, mtu=65536), "mtu", None),
    ("name and index of two devices", errno.ENODEV, "vif-new", vif(3, ifindex=1), "ifname", "is lo"),
    ("group twice", errno.EINVAL, "vif-new", vif(3, sg=[5, 5]), "sg", "twice"),
    ("group that is not there", errno.ENOENT, "vif-new", vif(3, sg=[99]), "sg", "99"),
    ("vif of a blackhole", errno.EINVAL, "nexthop-new", {"id": 50, "type": "blackhole", "vif": 1},
     "vif", "local"),
    ("VRF of a local next hop", errno.EINVAL, "nexthop-new",
     {"id": 50, "type": "local", "vif": 1, "vrf": 1}, "vrf", "type vrf"),
    ("members of a host next hop", errno.EINVAL, "nexthop-new",
     {"id": 50, "type": "host", "member": [{"addr": "10.0.0.1"}]}, "member", "ecmp"),
    ("vif that is not there", errno.ENOENT, "nexthop-new", {"id": 50, "type": "local", "vif": 99},
     "vif", "99"),
    ("member with a port only", errno.EINVAL, "nexthop-new", {**ECMP, "member": [{"port": 80}]},
     None, "address"),
    ("member without anything", errno.EINVAL, "nexthop-new", {**ECMP, "member": [{"weight": 1}]},
     None, "missing"),
    ("weight 0", errno.ERANGE, "nexthop-new",
     {**ECMP, "member": [{"addr": "10.0.0.1", "weight": 0}]}, None, None),
    ("counters of a member", errno.EINVAL, "nexthop-new",
     {**ECMP, "member": [{"addr": "10.0.0.1", "counters": {"drops": 1}}]}, None, "Counters"),
    ("member twice", errno.EINVAL, "nexthop-new",
     {**ECMP, "member": [{"addr": "10.0.0.1", "port": 1}] * 2}, None, None),
    ("change of a next hop's type", errno.EINVAL, "nexthop-new", {"id": 1, "type": "host"},
     "id", None),
    ("prefix with host bits", errno.EINVAL, "route-new", {**ROUTE, "addr": "10.9.0.1"}, "addr",
     "not zero"),
    ("IPv4 prefix of 33 bits", errno.EINVAL, "route-new", {**ROUTE, "prefix-len": 33},
     "prefix-len", "32"),
    ("IPv6 prefix of 129 bits", errno.ERANGE, "route-new",
     {**ROUTE, "addr": "fd00::", "prefix-len": 129}, "prefix-len", None),
    ("route in no VRF", errno.ENOENT, "route-new", {**ROUTE, "vrf": 99}, "vrf", "99"),
    ("route to no next hop", errno.ENOENT, "route-new", {**ROUTE, "nexthop": 99}, "nexthop", "99"),
    ("look-up with a prefix length", errno.EINVAL, "route-get",
     {"vrf": 1, "addr": "10.0.0.1", "prefix-len": 32, "lookup": True}, "prefix-len", "look-up"),
    ("filter in a get", errno.EINVAL, "route-get",
     {"vrf": 1, "addr": "10.0.0.1", "prefix-len": 32, "family": V4}, "family", "dump"),
    ("vip of ICMP", errno.EPROTONOSUPPORT, "vip-new", {**VIP, "proto": ICMP}, "proto", "TCP"),
    ("vip of port 0", errno.ERANGE, "vip-new", {**VIP, "port": 0}, "port", None),
    ("vip at a group", errno.EINVAL, "vip-new", {**VIP, "addr": "224.0.0.5"}, "addr", "host can"),
    ("vip to a local next hop", errno.EINVAL, "vip-new", {**VIP, "nexthop": 1}, "nexthop", "ecmp"),
    ("vip to members of the other family", errno.EINVAL, "vip-new", {**VIP, "addr": "fd96::9"},
     "nexthop", None),
    ("affinity of two days", errno.ERANGE, "vip-new", {**VIP, "affinity-timeout": 172800},
     "affinity-timeout", None),
    ("rule without ports' protocol", errno.EINVAL, "sg-new", rule(**{"port-min": 80}), None,
     "have ports"),
    ("ports of ICMP", errno.EINVAL, "sg-new", rule(proto=ICMP, **{"port-min": 80}), None,
     "have ports"),
    ("last port without first", errno.EINVAL, "sg-new", rule(proto=TCP, **{"port-max": 80}), None,
     "first"),
    ("ports the wrong way round", errno.EINVAL, "sg-new",
     rule(proto=TCP, **{"port-min": 81, "port-max": 80}), None, "less"),
    ("ICMP type of TCP", errno.EINVAL, "sg-new", rule(proto=TCP, **{"icmp-type": 8}), None,
     "types and codes"),
    ("ICMP code without type", errno.EINVAL, "sg-new", rule(proto=ICMP, **{"icmp-code": 0}), None,
     "needs a type"),
    ("ICMP in IPv6", errno.EINVAL, "sg-new", rule(proto=ICMP, family=V6), None, "family"),
    ("protocol GRE", errno.EPROTONOSUPPORT, "sg-new", rule(proto=47), None, "protocol"),
    ("family AF_UNIX", errno.EAFNOSUPPORT, "sg-new", rule(family=1), None, "family"),
    ("peer prefix and group", errno.EINVAL, "sg-new",
     rule(**{"peer-sg": 7, "peer-prefix": {"addr": "10.0.0.0", "len": 8}}), None, "not both"),
    ("exception without prefix", errno.EINVAL, "sg-new",
     rule(**{"peer-except": [{"addr": "10.0.0.0", "len": 8}]}), None, "need a prefix"),
    ("exception outside of the prefix", errno.EINVAL, "sg-new",
     rule(**{"peer-prefix": {"addr": "10.0.0.0", "len": 8},
             "peer-except": [{"addr": "11.0.0.0", "len": 16}]}), None, "not inside"),
    ("exception wider than the prefix", errno.EINVAL, "sg-new",
     rule(**{"peer-prefix": {"addr": "10.0.0.0", "len": 16},
             "peer-except": [{"addr": "10.0.0.0", "len": 8}]}), None, "not inside"),
    ("prefix of the other family", errno.EINVAL, "sg-new",
     rule(family=V6, **{"peer-prefix": {"addr": "10.0.0.0", "len": 8}}), None, "family"),
    ("rule with a hit count", errno.EINVAL, "sg-new", rule(hits=1), None, "output"),
    ("unknown flag", errno.EINVAL, "sg-new", {"id": 50, "enforce": 4}, "enforce", None),
    ("second rule wrong", errno.EINVAL, "sg-new",
     {"id": 50, "rule": [RULES[4], {"direction": "egress", "proto": TCP, "port-max": 1}]}, None,
     "first"),
    ("flow filter of two families", errno.EINVAL, "flow-del",
     {"filter": {"src": "10.0.0.1", "dst": "fd00::1"}}, None, "family"),
    ("flow filter of an ICMP error", errno.EINVAL, "flow-del",
     {"filter": {"proto": ICMP, "dport": 0x0300}}, None, "echo"),
    ("drops of \"none\"", errno.EINVAL, "drop-get", {"reason": "none"}, "reason", "none"),
    ("drops of no vif", errno.ENOENT, "drop-get", {"reason": "ttl", "vif": 99}, "vif", "does not exist"),
    ("limit 0", errno.ERANGE, "limits-set", {"vrfs": 0}, "vrfs", None),
    ("limit over 2^31 - 1", errno.ERANGE, "limits-set", {"flows": 1 << 31}, "flows", None),
    ("trace from no vif", errno.ENOENT, "trace", {"vif": 99, "tuple": TUPLE}, "vif", "does not exist"),
    ("trace of two families", errno.EINVAL, "trace",
     {"vif": 1, "tuple": {**TUPLE, "dst": "fd00::1"}}, None, "family"),
    ("trace of GRE", errno.EPROTONOSUPPORT, "trace", {"vif": 1, "tuple": {**TUPLE, "proto": 47}},
     None, "protocol"),
    ("stats with an attribute", errno.EINVAL, "stats-get", {"flows": 1}, None, None),
]

# The client has names for what is missing at the top, in a nest only numbers.
RULE_DIRECTION, TUPLE_PROTO = 2, 3

# operation, attributes, the one that is missing
MISSING = [
    ("vrf-new", {}, "id"), ("vrf-get", {}, "id"), ("vrf-del", {}, "id"),
    ("vif-new", {k: v for k, v in vif(3).items() if k != "id"}, "id"),
    ("vif-new", {k: v for k, v in vif(3).items() if k != "vrf"}, "vrf"),
    ("vif-new", {k: v for k, v in vif(3).items() if k != "mac"}, "mac"),
    ("vif-new", {k: v for k, v in vif(3).items() if k != "ifname"}, "ifindex"),
    ("vif-get", {}, "id"), ("vif-del", {}, "id"),
    ("nexthop-new", {"id": 50}, "type"), ("nexthop-new", {"type": "host"}, "id"),
    ("nexthop-new", {"id": 50, "type": "local"}, "vif"),
    ("nexthop-new", {"id": 50, "type": "vrf"}, "vrf"),
    ("route-new", {k: v for k, v in ROUTE.items() if k != "vrf"}, "vrf"),
    ("route-new", {k: v for k, v in ROUTE.items() if k != "addr"}, "addr"),
    ("route-new", {k: v for k, v in ROUTE.items() if k != "prefix-len"}, "prefix-len"),
    ("route-new", {k: v for k, v in ROUTE.items() if k != "nexthop"}, "nexthop"),
    ("vip-new", {k: v for k, v in VIP.items() if k != "proto"}, "proto"),
    ("vip-new", {k: v for k, v in VIP.items() if k != "port"}, "port"),
    ("vip-new", {k: v for k, v in VIP.items() if k != "nexthop"}, "nexthop"),
    ("vip-del", {k: v for k, v in VIP.items() if k in ("vrf", "proto", "port")}, "addr"),
    ("sg-new", {}, "id"), ("sg-new", {"id": 50, "rule": [{"proto": TCP}]}, RULE_DIRECTION),
    ("drop-get", {}, "reason"), ("trace", {"tuple": TUPLE}, "vif"), ("trace", {"vif": 1}, "tuple"),
    ("trace", {"vif": 1, "tuple": {"src": "10.0.0.1", "dst": "10.0.0.2"}}, TUPLE_PROTO),
]


def everything(c):
    """All objects, to see that nothing changed; counters may."""
    return {name: [{k: v for k, v in o.items() if k != "counters"} for o in c.dump(f"{name}-get")]
            for name in ("vrf", "vif", "route", "vip", "sg")}


def test_refused(c):
    before = everything(c)
    for what, err, name, attrs, bad, says in REFUSED:
        flags = SET if name.endswith("-new") else None
        fails(c, what, err, name, attrs, flags, bad=bad, says=says)
    for name, attrs, miss in MISSING:
        fails(c, f"{name} without {miss}", errno.EINVAL, name, attrs,
              SET if name.endswith("-new") else None, miss=miss, says="missing")
    for name, attrs in (("vif-get", {"id": 1}), ("vrf-get", {"id": 1}), ("vip-get", {"proto": TCP}),
                        ("route-get", {"lookup": True}), ("drop-get", {"reason": "ttl"})):
        try:
            c.ynl.dump(name, attrs)
            tap.check(False, f"refused: dump of {name} by what is no filter", "it was not")
        except NlError as e:
            tap.check(e.error == errno.EINVAL and "filter" in (e.nl_msg.extack or {}).get("msg", ""),
                      f"refused: dump of {name} by what is no filter", str(e))
    tap.equal(everything(c), before, "refused requests changed nothing")


def told(listener, name):
    """The next notification of that name."""
    for ntf in listener.poll_ntf(duration=10):
        if ntf["name"] == name:
            return ntf["msg"]
    return {}


def test_notified(c):
    listener = c.open()
    listener.ntf_subscribe("objects")
    c.do("vrf-new", ADD, id=60, label="told")
    tap.equal(told(listener, "vrf-new-ntf").get("label"), "told", "told of a new VRF")
    c.do("nexthop-new", ADD, id=60, type="blackhole")
    tap.equal(told(listener, "nexthop-new-ntf").get("type"), "blackhole", "of a new next hop")
    c.do("route-new", ADD, vrf=60, addr="10.0.0.0", prefix_len=8, nexthop=60)
    tap.equal(told(listener, "route-new-ntf").get("prefix-len"), 8, "of a new route")
    c.do("route-del", vrf=60, addr="10.0.0.0", prefix_len=8)
    tap.equal(told(listener, "route-del-ntf").get("addr"), "10.0.0.0", "of a deleted route")
    c.do("sg-new", ADD, id=60, rule=RULES)
    tap.equal(len(told(listener, "sg-new-ntf").get("rule", [])), len(RULES), "of a new group")
    c.do("sg-new", REPLACE, id=60, rule=RULES * 200)
    msg = told(listener, "sg-new-ntf")
    tap.equal((msg.get("rules"), msg.get("rule")), (len(RULES) * 200, None),
              "of a large group without its rules")
    c.do("sg-del", id=60)
    tap.equal(told(listener, "sg-del-ntf").get("id"), 60, "of a deleted group")
    c.do("vip-new", ADD, vrf=60, addr="10.96.0.60", proto=TCP, port=1, nexthop=7)
    tap.equal(told(listener, "vip-new-ntf").get("nexthop"), 7, "of a new vip")
    c.do("vip-del", vrf=60, addr="10.96.0.60", proto=TCP, port=1)
    tap.equal(told(listener, "vip-del-ntf").get("port"), 1, "of a deleted vip")
    c.do("nexthop-del", id=60)
    tap.equal(told(listener, "nexthop-del-ntf").get("id"), 60, "of a deleted next hop")
    c.do("vrf-del", id=60)
    tap.equal(told(listener, "vrf-del-ntf").get("id"), 60, "of a deleted VRF")
    c.ynl.do("vif-new", vif(3, label="default/gone"), ADD)
    tap.equal(told(listener, "vif-new-ntf").get("ifname"), "v3", "of a new vif")
    c.ns.run(["ip", "link", "del", "v3"])
    msg = told(listener, "vif-del-ntf")
    tap.equal((msg.get("id"), msg.get("label")), (3, "default/gone"),
              "of a vif whose device went away")
    wait_for(lambda: 3 not in [v["id"] for v in c.dump("vif-get")], "vif 3 to go")
    tap.equal(sorted(v["id"] for v in c.dump("vif-get")), [1, 2], "which is gone")
    listener.close()


def test_limits(c):
    limits = c.do("limits-get")
    used = limits["used"]
    tap.equal((used["vifs"], used["vips"]), (2, 2), "usage counts what is there")
    tap.check(limits["timeout-tcp-established"] > 0 and "global" not in limits, "time-outs", limits)
    room = c.do("limits-get", **{"global": True})
    tap.check(room.get("global") and "timeout-udp" not in room and room["used"]["vifs"] >= 2,
              "the module's limits", room)
    c.do("limits-set", vrfs=used["vrfs"], timeout_udp=17)
    got = c.do("limits-get")
    tap.equal((got["vrfs"], got["timeout-udp"], got["flows"]),
              (used["vrfs"], 17, limits["flows"]), "those that were given are set")
    fails(c, "one VRF more than allowed", errno.ENOSPC, "vrf-new", {"id": 70}, ADD)
    c.do("limits-set", vrfs=limits["vrfs"])
    fails(c, "the module's limits from another namespace", errno.EPERM, "limits-set",
          {"global": True, "flows": 5}, bad="global", says="initial")
    with YnlFamily(SPEC, schema="") as init:
        init.do("limits-set", {"global": True, "flows": room["flows"]})
        try:
            init.do("limits-set", {"global": True, "timeout-udp": 5})
            tap.check(False, "refused: a time-out of the module", "it was not")
        except NlError as e:
            tap.check(e.error == errno.EINVAL, "refused: a time-out of the module", str(e))


def test_observed(c):
    stats = c.do("stats-get")
    tap.check(0 < stats["flow-size"] <= 256 and stats["flows"] == 0, "statistics", stats)
    drops = c.dump("drop-get")
    names = [d["name"] for d in drops]
    tap.check("none" not in names and {"sg-ingress", "policy-change", "no-memory"} <= set(names),
              "every drop reason has a counter", names)
    tap.equal([d["reason"] for d in drops], names, "names in user space and kernel agree")
    tap.check(all(d["help"] for d in drops), "every drop reason has an explanation")
    tap.equal({d["vif"] for d in c.dump("drop-get", vif=1)}, {1}, "drop counters of a vif")
    tap.equal(c.do("drop-get", reason="ttl", vif=1)["packets"], 0, "one drop counter")
    tap.equal(c.do("flow-del")["flushed"], 0, "flush of no flow")
    tap.equal(c.dump("flow-get", filter={"dst": "10.0.0.1", "proto": TCP, "dport": 80}), [],
              "flows by a filter")
    fails(c, "get of no flow", errno.ENOENT, "flow-get", {"vif": 1}, says="No such flow")


def test_trace(c):
    c.do("route-new", SET, vrf=1, addr="10.0.0.2", prefix_len=32, nexthop=2)
    got = c.do("trace", vif=1, tuple={"src": "10.9.9.9", "dst": "10.0.0.2", "proto": ICMP})
    tap.equal(got["reason"], "spoofed-ip", "a packet with a foreign source")
    got = c.do("trace", vif=1, tuple={"src": "10.0.0.1", "dst": "10.0.0.2", "proto": TCP,
                                      "dport": 80})
    tap.equal(got["reason"], "none", "a packet that passes")
    tap.equal(got.get("vif-out"), 2, "where it leaves")
    tap.equal((got["final"]["dst"], got["final"]["dport"]), ("10.0.0.2", 80), "as it leaves")
    tap.check(len(got["step"]) > 2 and all(s["text"] for s in got["step"]), "with its steps", got)


def as_nobody(c):
    """What a user without capabilities may; the number of checks that failed."""
    bad = 0
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    other = YnlFamily(SPEC, schema="")
    for what, call in (("vrf-new", lambda: other.do("vrf-new", {"id": 80}, ADD)),
                       ("flow-get", lambda: other.dump("flow-get", {})),
                       ("limits-set", lambda: other.do("limits-set", {"vrfs": 5})),
                       ("group flows", lambda: YnlFamily(SPEC, schema="").ntf_subscribe("flows")),
                       ("group drops", lambda: YnlFamily(SPEC, schema="").ntf_subscribe("drops"))):
        try:
            call()
            tap.say(f"{what}: allowed")
            bad += 1
        except (NlError, OSError) as e:
            if getattr(e, "error", None) != errno.EPERM and getattr(e, "errno", 0) != errno.EPERM:
                tap.say(f"{what}: {e}")
                bad += 1
    if other.dump("vrf-get", {}) != c.dump("vrf-get"):
        tap.say("vrf-get: not what root sees")
        bad += 1
    return bad


def test_unprivileged(c):
    with c.ns:
        pid = os.fork()
        if not pid:
            try:
                os._exit(as_nobody(c))    # pylint: disable=protected-access
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc(file=sys.stdout)
                os._exit(99)    # pylint: disable=protected-access
    tap.equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0,
              "without CAP_NET_ADMIN: look, do not touch")


def test_isolated(c):
    other = Netns(f"ynl-b-{os.getpid()}")
    try:
        d = Client(other)
        tap.equal(d.dump("vrf-get"), [], "another namespace has objects of its own")
        d.do("vrf-new", ADD, id=1)
        d.close()
    finally:
        other.delete()
    tap.equal(c.do("vrf-get", id=1)["label"], "pods", "its end changes nothing here")


def test_deleted(c):
    c.do("vif-del", id=1)
    tap.equal([v["id"] for v in c.dump("vif-get")], [2], "vif detached")
    tap.check("vif" not in c.do("nexthop-get", id=1), "the next hop to it is left, without a vif")
    fails(c, "VRF that a vif is in", errno.EBUSY, "vrf-del", {"id": 1}, bad="id")
    c.do("vif-del", id=2)
    c.do("vrf-del", id=11)
    c.do("vip-del", vrf=1, addr="10.96.0.10", proto=TCP, port=80)
    c.do("vip-del", vrf=1, addr="fd96::10", proto=SCTP, port=80)
    c.do("nexthop-del", id=6)
    tap.equal(c.do("limits-get")["used"]["members"], 0, "no member is left")


def main():
    load_module()
    ns = Netns(f"ynl-a-{os.getpid()}")
    client = Client(ns)
    cases = [(n[5:], f) for n, f in globals().items() if n.startswith("test_")]
    try:
        tap.run([(title, lambda f=func: f(client)) for title, func in cases])
    finally:
        client.close()
        ns.delete()
    run(["rmmod", "vrouter"])
    tap.check(not os.path.isdir("/sys/module/vrouter"), "the module goes with objects left")
    tap.done()


if __name__ == "__main__":
    main()
