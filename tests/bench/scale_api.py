# SPDX-License-Identifier: GPL-2.0-only
"""The part "api" of scale.py: the manager and a real kube-apiserver, both on this machine.

Nobody but the manager follows the objects: no controllers, no scheduler, no kubelets. The cluster is that of the
manifests, made through the API first.
"""

import concurrent.futures
import http.client
import json
import threading

from scale_common import CHANGES, LONG, Mean, cpu_us, peak_kib, result
from scale_objects import BURST, node
# pylint: disable=wrong-import-order
from vrtest.kube import ControlPlane
from vrtest.kube_api import MERGE
from vrtest.manager import Manager
from vrtest.tap import wait_for

WRITERS = 8
SERVICES = "10.96.0.0/12,fd00:96::/108"


class Writer:
    """An administrator's requests, on one connection for each thread."""

    def __init__(self, cp):
        self.api, self.local = cp.api, threading.local()

    def __call__(self, method, path, obj, kind="application/json"):
        api = self.api
        if not hasattr(self.local, "conn"):
            # pylint: disable=protected-access
            self.local.conn = http.client.HTTPSConnection(api.host, api.port, context=api._tls, timeout=LONG)
        self.local.conn.request(method, path, json.dumps(obj), {"Content-Type": kind})
        answer = self.local.conn.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise AssertionError(f"{method} {path}: {answer.status} {text.decode()}")


def make(c, write):
    """The cluster, each kind by several threads."""
    def create(obj):
        ns, plural = obj["metadata"].get("namespace"), PLURALS[obj["kind"]]
        path = f"{plural[0]}/namespaces/{ns}/{plural[1]}" if ns else f"{plural[0]}/{plural[1]}"
        status = obj.pop("status", None)
        write("POST", path, obj)
        if status:
            write("PATCH", f"{path}/{obj['metadata']['name']}/status", {"status": status}, MERGE)

    spaces = [f"ns-{i}" for i in range(c.namespaces)]
    everything = (
        ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}} for ns in spaces),
        ({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": ns}} for ns in spaces),
        (node(i) for i in range(c.nodes)), (c.policy(i) for i in range(c.policies)), (c.burst(i) for i in range(BURST)),
        (pod_of(c, i) for i in range(c.pods)), (c.service(i) for i in range(c.services)), (c.slice(i) for i in range(c.services)))
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        for objects in everything:
            list(pool.map(create, objects))


PLURALS = {
    "Namespace": ("/api/v1", "namespaces"), "ServiceAccount": ("/api/v1", "serviceaccounts"), "Node": ("/api/v1", "nodes"),
    "Pod": ("/api/v1", "pods"), "Service": ("/api/v1", "services"),
    "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
}


def pod_of(c, i):
    """As the API server wants it."""
    pod = c.pod(i)
    pod["spec"]["containers"][0]["image"] = "none"
    return pod


def writes(m):
    return m.metrics().sum("vrouter_manager_writes_total", result="ok")


def is_settled(m, c):
    """It leads, has made everything, and there is nothing left to write."""
    if not m.runs():
        raise AssertionError(m.said()[-3000:])
    if m.ask("/readyz") is None or m.ask("/readyz")[0] != 200:
        return False
    now = m.metrics()
    return (now.get("vrouter_manager_leader") == 1 and now.sum("vrouter_manager_resources") > 3 * c.pods and
            not now.sum("vrouter_manager_pending_writes"))


def start(m, c, name):
    m.start()
    wait_for(lambda: is_settled(m, c), "everything written", LONG, step=0.5)
    result(f"manager.{name}_cpu", cpu_us(m.proc))
    result(f"manager.{name}_writes", writes(m))
    result(f"manager.{name}_peak", peak_kib(m.proc))


def change(cp, m, name, objects, path, kind, resource):
    """CPU of one change to its write, CHANGES times; each until a watch of the resource tells of it."""
    namespace, plural, own = resource
    where = f"/apis/opencontrail.org/v1/namespaces/{namespace}/{plural}"
    version = cp.api.get(where)["metadata"]["resourceVersion"]
    before, mean = writes(m), Mean(manager=m.proc)
    with cp.api.watch(where, version, LONG) as events:
        for i in range(CHANGES):
            cp.api.patch(path, objects(i), kind)
            events.until("MODIFIED", own)
    mean.results(name)
    result(f"manager.{name}_writes", (writes(m) - before) / CHANGES)


def api(c):
    with ControlPlane(services=SERVICES) as cp:
        cp.install()
        make(c, Writer(cp))
        m = Manager(cp, "one", services=SERVICES)
        start(m, c, "start")
        ns = c.ns_of(0)
        change(cp, m, "endpoint", lambda i: {"endpoints": c.slice(0, down=() if i % 2 else (0,))["endpoints"]},
               f"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices/svc-0-x", MERGE, (ns, "loadbalancerpools", "svc-0.http"))
        change(cp, m, "label", lambda i: {"metadata": {"labels": {"burst": None if i % 2 else "on"}}},
               f"/api/v1/namespaces/{ns}/pods/pod-0", MERGE, (ns, "virtualmachineinterfaces", "pod-0"))
        m.end()
        # the next leader finds everything written
        m = Manager(cp, "two", services=SERVICES)
        start(m, c, "restart")
        m.end()
