#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The control plane that the other suites stand on: that it behaves as a cluster's, and can
be stopped, killed and started again.
"""

import ipaddress
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.kube import PATIENCE, ControlPlane
from vrtest.kube_api import Api, ApiError
from vrtest.netns import Netns
from vrtest.tap import Tap, wait_for

tap = Tap("controlplane")
# In a namespace of its own, at an address that others could reach.
netns = Netns("control")
netns.run(["ip", "addr", "add", "198.18.0.1/32", "dev", "lo"])
cp = ControlPlane(netns, "198.18.0.1", 6443, controller_manager=True)
CORE = "/api/v1/namespaces/team"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/team/endpointslices"


def refused(call, *args):
    """The ApiError of a request, None when it was carried out."""
    try:
        call(*args)
    except ApiError as err:
        return err
    return None


def up():
    tap.equal(cp.api.get("/readyz"), "ok", "the API server says that it is ready")
    tap.equal(cp.api.get("/version")["gitVersion"].split(".")[:2],
              json.loads(cp.kubectl("version", "--client", "-o", "json"))["clientVersion"]
              ["gitVersion"].split(".")[:2], "kubectl is of the server's release")
    own = cp.api.get("/api/v1/namespaces/default/services/kubernetes")
    tap.equal(own["spec"]["clusterIP"], "10.96.0.1", "the service kubernetes has the first address")
    found = cp.api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")
    tap.equal([found["endpoints"][0]["addresses"], found["ports"][0]["port"]],
              [["198.18.0.1"], 6443], "and its endpoint is the API server")


def outside():
    """Nobody can reach it from another namespace but through a network."""
    api = Api("198.18.0.1", 6443, cp.tls.ca)
    try:
        api.get("/readyz")
        tap.check(False, "another namespace has another network")
    except OSError:
        tap.check(True, "another namespace has another network")


def dual_stack():
    made = cp.api.post(f"{CORE}/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"ipFamilyPolicy": "RequireDualStack", "selector": {"app": "web"},
                 "ports": [{"port": 80, "targetPort": 8080}]}})
    v4, v6 = map(ipaddress.ip_address, made["spec"]["clusterIPs"])
    tap.check(v4 in ipaddress.ip_network("10.96.0.0/16")
              and v6 in ipaddress.ip_network("fd00:96::/108"),
              "a service gets an address of each family", (v4, v6))


def watched():
    since = cp.api.get(f"{CORE}/configmaps")["metadata"]["resourceVersion"]
    with cp.api.watch(f"{CORE}/configmaps", since) as events:
        cp.api.post(f"{CORE}/configmaps", {"metadata": {"name": "seen"}, "data": {"a": "1"}})
        tap.equal(events.until("ADDED", "seen")["data"], {"a": "1"}, "a watch sees what is made")
        cp.api.patch(f"{CORE}/configmaps/seen", {"data": {"a": "2"}})
        tap.equal(events.until("MODIFIED", "seen")["data"], {"a": "2"}, "what changes")
        cp.api.delete(f"{CORE}/configmaps/seen")
        tap.equal(events.until("DELETED", "seen")["data"], {"a": "2"}, "and what goes")
    tap.equal(cp.api.find(f"{CORE}/configmaps/seen"), None, "and it is gone")


def access():
    nobody = cp.client("nobody")
    err = refused(nobody.get, f"{CORE}/configmaps")
    tap.check(err and err.code == 403 and 'User "nobody"' in err.message,
              "a user without a role is denied", err)
    cp.kubectl("create", "rolebinding", "readers", "-n", "team", "--clusterrole=view",
               "--group=readers")
    reader = cp.client("reader", ["readers"])
    tap.check(reader.get(f"{CORE}/configmaps")["items"], "one of a group with a role is not")
    err = refused(reader.delete, f"{CORE}/configmaps/kube-root-ca.crt")
    tap.equal(err and err.code, 403, "but only for what the role allows")
    err = refused(Api("198.18.0.1", 6443, cp.tls.ca, token="x", netns=netns).get, CORE)
    tap.equal(err and err.code, 401, "a wrong token is nobody's")


def service_account():
    conf = cp.service_account_kubeconfig("team", "default")
    who = cp.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}",
                     kubeconfig=conf)
    tap.equal(who, "system:serviceaccount:team:default", "a service account's kubeconfig is its own")
    res = cp.kubectl("get", "secrets", "-n", "team", kubeconfig=conf, check=False)
    tap.check(res.returncode and "Forbidden" in res.stderr, "which may nothing by itself", res.stderr)


def endpoints():
    return {(address, e["conditions"]["ready"], e.get("nodeName"))
            for s in cp.api.get(SLICES)["items"] if s["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
            for e in s["endpoints"] or [] for address in e["addresses"]}


def sliced():
    """The controller manager follows the pods' status."""
    cp.node("n1", ["198.18.0.11"])
    for i, ready in ((1, True), (2, False)):
        cp.pod("team", f"web-{i}", "n1", {"app": "web"}, ports=[8080])
        cp.pod_status("team", f"web-{i}", [f"10.32.0.{i}", f"fd00:32::{i}"], ready)
    want = {(a, i == 1, "n1") for i in (1, 2) for a in (f"10.32.0.{i}", f"fd00:32::{i}")}
    wait_for(lambda: endpoints() == want, f"{want} in the slices", PATIENCE)
    tap.check(True, "endpoint slices have the pods of both families, ready or not")
    cp.pod_status("team", "web-2", ["10.32.0.2", "fd00:32::2"])
    wait_for(lambda: all(ready for _, ready, _ in endpoints()), "both are ready", PATIENCE)
    tap.check(True, "a pod that becomes ready is a ready endpoint")
    cp.api.delete(f"{CORE}/pods/web-1", grace=0)
    wait_for(lambda: {a for a, _, _ in endpoints()} == {"10.32.0.2", "fd00:32::2"},
             "the deleted pod is no endpoint", PATIENCE)
    tap.check(True, "a deleted pod is none any more")


def restarted():
    for how, sig in (("stopped", signal.SIGTERM), ("killed", signal.SIGKILL)):
        cp.stop("kube-apiserver", sig)
        tap.check(not cp.ready(), f"the API server is {how}")
        cp.start_apiserver()
        tap.check(cp.api.find(f"{CORE}/services/web"), "and knows everything when it is back")
    cp.kill("etcd")
    # Its own checks of etcd have some seconds between them.
    wait_for(lambda: not cp.ready(), "the API server to miss etcd", PATIENCE)
    tap.check(True, "without etcd it is not ready")
    cp.start_etcd()
    wait_for(cp.ready, "the API server to have found etcd again", PATIENCE)
    tap.check(cp.api.find(f"{CORE}/services/web"), "with etcd back it knows everything")
    cp.api.patch(f"{CORE}/services/web", {"metadata": {"labels": {"after": "restart"}}})
    tap.equal(cp.api.get(f"{CORE}/services/web")["metadata"]["labels"], {"after": "restart"},
              "and stores what is new")


with cp:
    tap.say(f"started in {cp.started:.1f} s")
    cp.namespace("team")
    CASES = (up, outside, dual_stack, watched, access, service_account, sliced, restarted)
    tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
    tap.say(f"MiB at most: {cp.memory()}")
    if tap.failed:
        tap.say(cp.logs())
netns.delete()
tap.done()
