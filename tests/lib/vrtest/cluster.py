# SPDX-License-Identifier: GPL-2.0-only
"""A cluster on a real API server: the manager outside, a daemon on each node that follows the API
server with the rights of its service account, pods attached by the CNI plugin.

    cluster = Cluster(3).start()
    cluster.nodes[1].apply("10-pods", [...])    # as with manifests: what is not there any more goes
    pod = cluster.nodes[1].pod("default", "web-0")
    cluster.sync()
    wrong = eventually(lambda: what_is_wrong())

Suites of tests/node that are written for manifests run on it with VROUTER_API set (fabric_of()), but for one thing:
manager and daemons hear of different kinds by different watches, so sync() knows that what was applied is on its
way, and not that all of it has arrived: they look with eventually().
"""

import atexit
import contextlib
import os
import signal

from .fabric import Fabric
from .kube import PATIENCE, ControlPlane
from .kube_api import MERGE
from .manager import POD_NETWORK, SERVICE_NETWORK, Manager
from .node import SRC
from .tap import wait_for
from .wired import Place

DEPLOY = f"{SRC}/userspace/deploy/kubernetes"
ON_API = bool(os.environ.get("VROUTER_API"))
PATHS = {
    "Namespace": "/api/v1/namespaces", "Pod": "/api/v1/namespaces/{ns}/pods", "Service": "/api/v1/namespaces/{ns}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies",
    "VirtualNetwork": "/apis/opencontrail.org/v1/namespaces/{ns}/virtualnetworks",
}


def differences(old, new):
    """A merge patch (RFC 7386) that makes the one of the other; also what the server has changed since."""
    patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        was = old.get(key)
        patch[key] = differences(was if isinstance(was, dict) else {}, value) if isinstance(value, dict) else value
    return patch


class Objects:
    """Lists of objects by name, as files of manifests are: applied once more, what is not in a list any
    more is deleted."""

    def __init__(self, cp):
        self.cp, self.lists, self.marks = cp, {}, 0

    @staticmethod
    def _path(obj, name=True):
        path = PATHS[obj["kind"]].format(ns=obj["metadata"].get("namespace", "default"))
        return f"{path}/{obj['metadata']['name']}" if name else path

    def apply(self, name, objects):
        before = self.lists.get(name, {})
        now = self.lists[name] = {self._path(obj): obj for obj in objects}
        for path in before.keys() - now.keys():
            self.cp.api.delete(path)
        for path, obj in now.items():
            if path not in before:
                self._create(path, obj)
            elif before[path] != obj:
                # a pod's spec has what admission added to it, and cannot change
                parts = ["metadata"] if obj["kind"] == "Pod" else list(obj)
                self.cp.api.patch(path, {part: differences({part: before[path].get(part)}, {part: obj[part]})[part] for part in parts}, MERGE)

    def _create(self, path, obj):
        ns = obj["metadata"].get("namespace")
        if ns:
            self._namespace(ns)
        if obj["kind"] == "Namespace":
            self._namespace(obj["metadata"]["name"])
            self.cp.api.patch(path, {"metadata": {k: v for k, v in obj["metadata"].items() if k != "name"}}, MERGE)
            return
        if obj["kind"] == "Pod":
            obj = {**obj, "spec": {**obj["spec"], "terminationGracePeriodSeconds": 0}}
        self.cp.api.post(self._path(obj, name=False), obj)

    def _namespace(self, name):
        if not self.cp.api.find(f"/api/v1/namespaces/{name}"):
            self.cp.namespace(name)
        self.cp.wait_for_account(name)

    def delete(self, name):
        self.apply(name, [])
        del self.lists[name]

    def sync(self, nodes):
        """A service that was applied after all others is in each node's kernel, and a policy is made into a group. That is
        for nobody, so no kernel has it: what policies do is waited for by eventually()."""
        self.marks += 1
        name = f"mark-{self.marks}"
        meta = {"name": name, "namespace": "vr-sync"}
        self.apply("zz-mark", [
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 1}]}},
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": {"podSelector": {}}}])
        wait_for(lambda: self.cp.api.find(f"/apis/opencontrail.org/v1/namespaces/vr-sync/securitygroups/policy-{name}"),
                 f"the group of the policy {name}", PATIENCE, step=0.1)
        for node in nodes:
            wait_for(lambda n=node: any(o.get("label", "").startswith(f"vr-sync/{name}") for o in n.vrctl("vip", "show")),
                     f"the service {name} in {node.name}'s kernel", PATIENCE, step=0.1)


class Cluster(Fabric):
    """Nodes node1.. as a Fabric has them. cp: the control plane; hosts: the nodes themselves, by number."""

    def __init__(self, n, args=("--encap", "vxlan", "--external"), module=True, **control_plane):
        super().__init__(n, args=args, start=False, module=module)
        self.cp = ControlPlane(netns=self.outside, address="192.0.2.254", services=SERVICE_NETWORK, controller_manager=True,
                               **control_plane)
        self.objects = Objects(self.cp)
        self.hosts = {i: Place(node.ns, f"host{i}", node.addrs) for i, node in self.nodes.items()}
        self.manager = None
        atexit.register(self.stop)
        for node in self.nodes.values():
            node.cluster, node.networks = self, (POD_NETWORK, SERVICE_NETWORK)

    def start(self):
        """All of it runs, and knows the nodes."""
        self.start_control_plane()
        for i, node in self.nodes.items():
            self.cp.node(f"node{i}", node.addrs)
        self.start_manager()
        self.start_daemons()
        return self

    def start_control_plane(self):
        """With the manager's kinds and rights, and a namespace in which pods can be made."""
        self.cp.__enter__()
        self.cp.install()
        for name in ("default", "kube-system"):
            self.cp.wait_for_account(name)

    def start_daemons(self):
        conf = self.cp.service_account_kubeconfig("kube-system", "vrouterd")
        for node in self.nodes.values():
            node.start_daemon(f"kubernetes:{conf}")

    def stop(self):
        """The daemons end first, and in an orderly way: none is to see the API server go."""
        for node in self.nodes.values():
            if node.daemon and node.daemon.poll() is None:
                node.kill_daemon(signal.SIGTERM)
        if self.manager and self.manager.runs():
            self.kill_manager()
        self.cp.close()

    def start_manager(self):
        if not self.manager:
            self.manager = Manager(self.cp, popen=self.outside.popen, http_at="[::]:8095")
        self.manager.start()

    def kill_manager(self):
        self.manager.end(signal.SIGKILL)

    def sync(self):
        self.objects.sync(self.nodes.values())

    def pod_runs(self, pod):
        """What a kubelet says of a pod that it has started."""
        self.cp.pod_status(pod.namespace, pod.short, pod.addresses)

    def logs(self):
        return (self.manager.said()[-4000:] if self.manager else "") + super().logs()


def eventually(look):
    """look() says what is wrong: the last of it, when it says nothing, or after long enough. On manifests, where
    sync() has waited, it is asked once."""
    wrong = look()

    def is_right():
        nonlocal wrong
        wrong = look()
        return not wrong
    if wrong and ON_API:
        with contextlib.suppress(AssertionError):
            wait_for(is_right, "what is right", PATIENCE, step=0.2)
    return wrong


def fabric_of(n):
    """Nodes on manifests, or, with VROUTER_API set, on an API server."""
    return Cluster(n).start() if ON_API else Fabric(n)
