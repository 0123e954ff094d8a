# SPDX-License-Identifier: GPL-2.0-only
"""The cluster that the manager's suites work in: two nodes and a namespace "team" with three pods behind a service,
what managers make of them, and what they say of them.

    team = Team(tap, cp, managers)
    team.set_up()
    managers[0].start()
    team.until(lambda: team.spec("virtualmachineinterfaces", "web-0", "team"), "a pod has its interface")
    team.end()
"""

import ipaddress

from .kube import PATIENCE
from .kube_api import ApiError

GROUP = "/apis/opencontrail.org/v1"
WEB = {"app": "web"}


class Team:
    """managers: those that the suite starts, for their logs and their ends."""

    def __init__(self, tap, cp, managers):
        self.tap, self.cp, self.managers = tap, cp, managers

    def set_up(self):
        """All objects are there; no manager runs yet."""
        self.cp.install()
        self.cp.namespace("team")
        for n in (1, 2):
            self.cp.node(f"n{n}", [f"192.0.2.{n}", f"2001:db8::{n}"])
        for i in range(3):
            self.make_pod(f"web-{i}", f"n{1 + i % 2}")
        self.cp.api.post("/api/v1/namespaces/team/services", {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {
                "selector": WEB, "ipFamilyPolicy": "PreferDualStack", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})

    def run_pods(self):
        """The three run, at the addresses of their interfaces."""
        for i in range(3):
            self.cp.pod_status("team", f"web-{i}", self.spec("virtualmachineinterfaces", f"web-{i}", "team")["addresses"])

    def until(self, cond, what):
        return self.tap.until(cond, what, PATIENCE, lambda: "".join(m.said()[-3000:] for m in self.managers if m.proc))

    def end(self):
        """Those that run end in an orderly way. What they said, before, when something has failed."""
        if self.tap.failed:
            for m in self.managers:
                if m.proc:
                    self.tap.say(m.said()[-6000:])
        for m in self.managers:
            if m.runs():
                self.tap.equal(m.end(), 0, f"{m.name} ends in an orderly way")

    # ---- Kubernetes' objects

    def make_pod(self, name, node, labels=None, **notes):
        self.cp.pod("team", name, node, labels or WEB, ports=[8080])
        if notes:
            self.cp.api.patch(f"/api/v1/namespaces/team/pods/{name}", {"metadata": {"annotations": notes}})

    def delete_pod(self, name, namespace="team"):
        self.cp.kubectl("delete", "pod", name, "-n", namespace, "--grace-period=0", "--force")

    def policy(self, name, body):
        return self.cp.api.post("/apis/networking.k8s.io/v1/namespaces/team/networkpolicies", {
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": body})

    # ---- the manager's

    def get(self, plural, name=None, namespace=None):
        """An object, or None; a list of them when no name is given."""
        where = f"/namespaces/{namespace}" if namespace else ""
        try:
            found = self.cp.api.get(f"{GROUP}{where}/{plural}" + (f"/{name}" if name else ""))
        except ApiError as err:
            if err.code == 404:
                return None
            raise
        return found if name else found["items"]

    def spec(self, plural, name, namespace=None):
        return (self.get(plural, name, namespace) or {}).get("spec")

    def addresses(self):
        """Whose each address is: all that interfaces have."""
        return {i["metadata"]["name"]: i["spec"].get("interface") for i in self.get("instanceips") if i["spec"].get("interface")}

    def blocks(self, node):
        return [(b["network"], b["cidr"]) for b in (self.spec("virtualrouters", node) or {}).get("blocks", [])]

    def in_blocks(self, pod, node, network="default/cluster-network"):
        """All addresses of a pod are of its node's blocks."""
        mine = [ipaddress.ip_network(c) for n, c in self.blocks(node) if n == network]
        found = self.spec("virtualmachineinterfaces", pod, "team")["addresses"]
        return all(any(ipaddress.ip_address(a) in b for b in mine) for a in found)

    def told(self, obj, text, namespace="team"):
        """Events on an object that say this."""
        found = self.cp.api.get(f"/api/v1/namespaces/{namespace}/events")["items"]
        return [e for e in found if e["involvedObject"]["name"] == obj and text in e["message"]]
