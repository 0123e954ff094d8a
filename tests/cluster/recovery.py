#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What contrail-kube-manager loses on a real API server: the replica that leads, a time in which none ran, the API server
itself and what that knew of the past. Somebody leads again, what has changed is caught up with, and nobody's address changes.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.kube import ControlPlane
from vrtest.manager import Manager
from vrtest.tap import Tap
from vrtest.team import GROUP, Team

tap = Tap("recovery")
cp = ControlPlane(controller_manager=True)
managers = [Manager(cp, "one"), Manager(cp, "two")]
team = Team(tap, cp, managers)
until, post, get, spec, told = team.until, cp.api.post, team.get, team.spec, team.told
make_pod, delete_pod, policy, addresses, blocks, in_blocks = (
    team.make_pod, team.delete_pod, team.policy, team.addresses, team.blocks, team.in_blocks)


def lists(resource):
    return managers[0].metrics().get("vrouter_manager_lists_total", resource=resource)


# ---- cases

def set_up():
    """The first replica leads; pods run at addresses of their nodes' blocks, and these are written down."""
    team.set_up()
    managers[0].start()
    until(lambda: len(get("virtualmachineinterfaces", namespace="team")) == 3, "three pods have their interfaces")
    team.run_pods()
    until(lambda: all(in_blocks(f"web-{i}", f"n{1 + i % 2}") for i in range(3)), "with addresses of their node's blocks")


def fail_over():
    """A second replica takes over when the first is killed; nobody's address changes."""
    before, had = addresses(), (blocks("n1"), blocks("n2"))
    managers[1].start()
    until(lambda: "everything is known" in managers[1].said(), "a second replica is ready")
    tap.check("leading" not in managers[1].said(), "and does not lead")
    tap.equal(managers[1].ask("/readyz")[::2], (200, "ok"), "as /readyz says")
    tap.equal([m.metrics().get("vrouter_manager_leader") for m in managers], [1, 0], "one leads")
    tap.equal(managers[1].metrics().sum("vrouter_manager_writes_total"), 0, "the other one has written nothing")
    managers[0].end(signal.SIGKILL)
    killed = time.monotonic()
    make_pod("after", "n2", labels={"app": "after"})
    until(lambda: get("virtualmachineinterfaces", "after", "team"), "killed, the other one takes over")
    tap.say(f"from the kill to the other one's first write: {time.monotonic() - killed:.1f} s")
    tap.equal({k: v for k, v in addresses().items() if v != "team/after"}, before, "all addresses are as before")
    tap.equal((blocks("n1"), blocks("n2")), had, "and all blocks")
    tap.check(in_blocks("after", "n2"), "which the new pod is in")
    managers[0].start()
    until(lambda: managers[0].said().count("everything is known") == 2, "the first is back, and waits")
    tap.equal(managers[1].end(), 0, "the leader is stopped in an orderly way")
    make_pod("again", "n2", labels={"app": "again"})
    until(lambda: get("virtualmachineinterfaces", "again", "team"), "and has given the lease back: the other one leads")


def while_down():
    """What changed while no manager ran is caught up with."""
    before = addresses()
    managers[0].end(signal.SIGKILL)
    for name in ("after", "again"):
        delete_pod(name)
    make_pod("late", "n1", labels={"app": "late"})
    # as a manager leaves it that is killed between an address and its interface
    orphan, half = "10.32.9.9", "10.32.9.10"
    for address, pod in ((orphan, "gone"), (half, "half")):
        post(f"{GROUP}/instanceips", {
            "apiVersion": "opencontrail.org/v1", "kind": "InstanceIP",
            "metadata": {"name": address, "labels": {"app.kubernetes.io/managed-by": "contrail-kube-manager"}},
            "spec": {"address": address, "family": "IPv4", "network": "default/cluster-network", "interface": f"team/{pod}"}})
    make_pod("half", "n1", labels={"app": "half"})
    outside = {"app.kubernetes.io/managed-by": "contrail-kube-manager"}
    post(f"{GROUP}/instanceips", {
        "apiVersion": "opencontrail.org/v1", "kind": "InstanceIP", "metadata": {"name": "10.200.0.9", "labels": outside},
        "spec": {"address": "10.200.0.9", "family": "IPv4", "network": "default/cluster-network", "interface": "team/moved"}})
    make_pod("moved", "n2", labels={"app": "moved"})
    managers[0].start()
    until(lambda: not get("instanceips", orphan), "an address whose pod is gone, and which never had an interface, is free")
    until(lambda: half in (spec("virtualmachineinterfaces", "half", "team") or {}).get("addresses", []),
          "one whose pod is there becomes its interface's")
    until(lambda: told("moved", "10.200.0.9 is outside of the pod network; the pod gets another address"),
          "one outside of every subnet is told")
    until(lambda: get("virtualmachineinterfaces", "moved", "team") and not get("instanceips", "10.200.0.9"), "and replaced")
    for name in ("half", "moved"):
        delete_pod(name)
    until(lambda: not {"team/half", "team/moved"} & set(addresses().values()), "both are gone")
    until(lambda: get("virtualmachineinterfaces", "late", "team"), "a pod that came while the manager was down")
    until(lambda: not get("virtualmachineinterfaces", "after", "team"), "one that went")
    until(lambda: not {"team/after", "team/again"} & set(addresses().values()), "with its addresses")
    kept = {k: v for k, v in before.items() if v not in ("team/after", "team/again")}
    tap.equal({k: v for k, v in addresses().items() if v != "team/late"}, kept, "the others keep theirs")


def pinned():
    """An address that is written down is nobody else's, whoever wrote it."""
    mine = spec("virtualmachineinterfaces", "web-0", "team")["addresses"][0]
    delete_pod("web-0")
    until(lambda: not get("instanceips", mine), "the pod's address is free")
    managers[0].end(signal.SIGKILL)
    post(f"{GROUP}/instanceips", {
        "apiVersion": "opencontrail.org/v1", "kind": "InstanceIP", "metadata": {"name": mine},
        "spec": {"address": mine, "family": "IPv4", "network": "default/cluster-network", "interface": "other/pod"}})
    make_pod("web-0", "n1")
    managers[0].start()
    until(lambda: get("virtualmachineinterfaces", "web-0", "team"), "the pod is there again")
    tap.check(mine not in spec("virtualmachineinterfaces", "web-0", "team")["addresses"], "with another address")
    tap.equal(spec("instanceips", mine)["interface"], "other/pod", "which the manager leaves alone: it is not its own")
    cp.api.delete(f"{GROUP}/instanceips/{mine}")


def listed_again():
    """What happened in a time that the API server knows nothing of any more: all is listed again."""
    kinds = ("pods", "networkpolicies", "instanceips", "virtualmachineinterfaces")
    for name in ("stays", "goes"):
        make_pod(name, "n1", labels={"app": name})
    policy("goes", {"podSelector": {"matchLabels": {"app": "stays"}}, "ingress": []})
    until(lambda: len([v for v in addresses().values() if v in ("team/stays", "team/goes")]) == 4, "two pods have their addresses")
    until(lambda: get("securitygroups", "policy-goes", "team"), "and a policy its group")
    before, listed = addresses(), {k: lists(k) for k in kinds}
    # it is told of nothing from here on, not even by what its socket has
    cp.kill("kube-apiserver")
    managers[0].proc.send_signal(signal.SIGSTOP)
    cp.start_apiserver()
    delete_pod("goes")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/goes")
    gone = next(k for k, v in before.items() if v == "team/stays")
    cp.api.delete(f"{GROUP}/instanceips/{gone}")
    make_pod("comes", "n2", labels={"app": "comes"})
    cp.forget()
    cp.kill("kube-apiserver")
    cp.start_apiserver()
    managers[0].proc.send_signal(signal.SIGCONT)
    until(lambda: get("virtualmachineinterfaces", "comes", "team"), "a pod that came unseen has its interface")
    until(lambda: not get("virtualmachineinterfaces", "goes", "team"), "one that went has none")
    until(lambda: "team/goes" not in addresses().values(), "its addresses are free")
    until(lambda: not get("securitygroups", "policy-goes", "team"), "the policy's group is gone")
    until(lambda: addresses().get(gone) == "team/stays", "an InstanceIP that somebody deleted is there again")
    tap.equal({k: v for k, v in addresses().items() if v != "team/comes"},
              {k: v for k, v in before.items() if v != "team/goes"}, "all others are as they were")
    # the kinds do not come back in the same moment
    until(lambda: all(lists(k) > listed[k] for k in kinds), "all was listed again")
    for name in ("stays", "comes"):
        delete_pod(name)


def api_server_gone():
    """The manager says so, waits, and goes on."""
    def noticed():
        return managers[0].said().count("the API server is not followed")
    # a fresh one follows all: what it says from here on is of this time
    managers[0].end(signal.SIGKILL)
    managers[0].start()
    until(lambda: managers[0].ask("/healthz") and managers[0].metrics().get("vrouter_manager_leader") == 1, "a manager leads")
    before = noticed()
    cp.kill("kube-apiserver")
    until(lambda: noticed() > before, "the API server killed: the manager notices")
    cp.start_apiserver()
    make_pod("back", "n2", labels={"app": "back"})
    until(lambda: get("virtualmachineinterfaces", "back", "team"), "it is back: the manager goes on")
    tap.equal(managers[0].proc.poll(), None, "the manager lived on")


with cp:
    set_up()
    CASES = (fail_over, while_down, pinned, listed_again, api_server_gone)
    tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
    team.end()
tap.done()
