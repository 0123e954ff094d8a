#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The custom resource definitions: a real API server takes them, takes what the man pages
show and what the manager makes without losing a field, and refuses what is wrong.
"""

import json
import os
import re
import sys
import tempfile

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.kube import PATIENCE, ControlPlane
from vrtest.kube_api import Api, ApiError
from vrtest.netns import run
from vrtest.node import BUILD, SRC
from vrtest.tap import Tap, wait_for

tap = Tap("crds")
cp = ControlPlane()
DEPLOY = f"{SRC}/userspace/deploy"
GROUP = "/apis/opencontrail.org/v1"
CLUSTER = {"Project", "InstanceIP", "VirtualRouter", "LinkLocalService"}
SHORT = {"VirtualNetwork": "vn", "LogicalRouter": "lr", "ServiceChain": "sc",
         "HealthMonitor": "hm", "LinkLocalService": "lls", "Project": "proj",
         "VirtualMachineInterface": "vmi", "InstanceIP": "iip", "SecurityGroup": "sg",
         "VirtualRouter": "vr", "LoadBalancer": "lb", "LoadBalancerPool": "lbpool"}
USERS = ("VirtualNetwork", "LogicalRouter", "ServiceChain", "HealthMonitor", "LinkLocalService")
# What the manager resolves of these is their status.
RESOLVED = ("VirtualNetwork", "ServiceChain", "LinkLocalService")


def path_of(kind, namespace="default", name=None):
    where = "" if kind in CLUSTER else f"/namespaces/{namespace}"
    return f"{GROUP}{where}/{kind.lower()}s" + (f"/{name}" if name else "")


def make(kind, spec, name="one", namespace="default", strict=True):
    """Makes an object; an unknown field is refused, where it would be dropped otherwise."""
    meta = {"name": name} if kind in CLUSTER else {"name": name, "namespace": namespace}
    obj = {"apiVersion": "opencontrail.org/v1", "kind": kind, "metadata": meta}
    if spec is not None:
        obj["spec"] = spec
    check = "?fieldValidation=Strict" if strict else ""
    return cp.api.post(path_of(kind, namespace) + check, obj)


# ---- the other manifests

def manifests():
    for name in ("rbac.yaml", "own-status.yaml", "manager.yaml", "node.yaml"):
        res = cp.kubectl("apply", "--dry-run=server", "-f", f"{DEPLOY}/kubernetes/{name}", check=False)
        tap.check(res.returncode == 0 and "Warning" not in res.stderr, f"{name} is taken as it is", res.stderr)


# ---- the definitions

def established():
    cp.kubectl("apply", "--server-side", "-f", f"{DEPLOY}/kubernetes/crds.yaml")
    found = {}

    def all_there():
        for crd in cp.api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]:
            conditions = crd.get("status", {}).get("conditions") or []
            found[crd["spec"]["names"]["kind"]] = {c["type"]: c["status"] for c in conditions}
        return all(found.get(kind, {}).get("Established") == "True" for kind in SHORT)

    wait_for(all_there, "the definitions' conditions", PATIENCE)
    tap.equal(set(found), set(SHORT), "each kind has its definition")
    for kind, conditions in found.items():
        tap.equal([conditions.get(c) for c in ("Established", "NamesAccepted", "NonStructuralSchema")],
                  ["True", "True", None], f"{kind} is established, its schema structural")
    wait_for(lambda: cp.api.find(GROUP), "the group to be served", PATIENCE)
    wait_for(lambda: {r["kind"] for r in cp.api.get(GROUP)["resources"]} >= set(SHORT),
             "all of it", PATIENCE)
    resources = cp.api.get(GROUP)["resources"]
    seen = {r["kind"]: r for r in resources if "/" not in r["name"]}
    tap.equal({r["kind"] for r in resources if r["name"].endswith("/status")}, set(SHORT),
              "each kind has a status of its own")
    tap.equal({k: (r["shortNames"], r["namespaced"], r["categories"]) for k, r in seen.items()},
              {k: ([s], k not in CLUSTER, ["opencontrail"]) for k, s in SHORT.items()},
              "short names, scopes and category are as documented")


def explained():
    undescribed = []

    def walk(schema, path):
        for name, sub in schema.get("properties", {}).items():
            if not sub.get("description") and path not in ((), ("metadata",)):
                undescribed.append(".".join((*path, name)))
            walk(sub, (*path, name))
        if "items" in schema:
            walk(schema["items"], path)

    with open(f"{DEPLOY}/kubernetes/crds.yaml", encoding="utf-8") as file:
        for crd in yaml.safe_load_all(file):
            walk(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], ())
    tap.equal(undescribed, [], "every field has a description")

    def is_known():
        """The server's schemas come some moments after the kind itself."""
        res = cp.kubectl("explain", "virtualnetworks.spec.vni", check=False)
        return res.stdout if not res.returncode else None
    text = wait_for(is_known, "the schema of virtualnetworks", PATIENCE)
    tap.check("an MPLS label" in " ".join(text.split()), "kubectl explain tells it", text)


# ---- what is right

def man_pages():
    """Every object of ours that a man page shows."""
    for page in ("vrouter-networks.7.scd", "contrail-kube-manager.8.scd"):
        with open(f"{DEPLOY}/man/{page}", encoding="utf-8") as file:
            blocks = re.findall(r"^```\n(apiVersion: opencontrail.*?)^```", file.read(), re.M | re.S)
        for doc in yaml.safe_load_all("---\n".join(blocks)):
            if doc["apiVersion"] == "opencontrail.org/v1":
                yield doc


def examples():
    kinds = set()
    for doc in man_pages():
        made = make(doc["kind"], doc["spec"], doc["metadata"]["name"])
        kinds.add(doc["kind"])
        tap.equal(made["spec"], doc["spec"], f"the man pages' {doc['kind']} is taken as it is")
    tap.equal(kinds, set(USERS), "the man pages show every kind that users write")
    for kind, spec in (
            ("VirtualNetwork", {"subnets": [{"cidr": "fd00:64::/64"}], "vni": 1048575}),
            ("VirtualNetwork", {"subnets": [{"cidr": f"10.{i}.0.0/16"} for i in range(16)]}),
            ("LogicalRouter", {"network": "default/cluster-network", "nonMasqueradeCIDRs": ["::/0"]}),
            ("HealthMonitor", {"type": "PING", "intervalSeconds": 1, "timeoutSeconds": 1}),
            ("HealthMonitor", {"type": "HTTP", "expectedStatus": [204, "300-399"], "host": "a.example",
                               "path": "/healthz?full=1", "port": 8081}),
            ("LinkLocalService", {"address": "fe80::53", "port": 53}),
            ("ServiceChain", {"left": "a", "right": "other/a", "podSelector": {
                "matchExpressions": [{"key": "fw", "operator": "Exists"}]}})):
        made = make(kind, spec, name=f"more-{len(json.dumps(spec))}")
        tap.equal(made["spec"], spec, f"{kind} {json.dumps(spec)[:60]} is taken as it is")


# Something of everything that the manager can make.
MANIFEST = """
{apiVersion: v1, kind: Node, metadata: {name: n1},
 status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: InternalIP, address: "2001:db8::1"}]}}
---
{apiVersion: opencontrail.org/v1, kind: VirtualNetwork, metadata: {name: left, namespace: made}, spec: {subnets: [{cidr: 10.64.0.0/16}]}}
---
{apiVersion: opencontrail.org/v1, kind: VirtualNetwork, metadata: {name: right, namespace: made}, spec: {subnets: [{cidr: "fd00:65::/64"}, {cidr: 10.65.0.0/16}]}}
---
{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: fw, namespace: made},
 spec: {left: left, right: right, podSelector: {matchLabels: {app: fw}}}}
---
{apiVersion: opencontrail.org/v1, kind: LogicalRouter, metadata: {name: out, namespace: made},
 spec: {network: left, snat: {addresses: [203.0.113.7], nodes: [n1]}, nonMasqueradeCIDRs: [10.0.0.0/8], reachable: true}}
---
{apiVersion: opencontrail.org/v1, kind: LinkLocalService, metadata: {name: dns}, spec: {address: 169.254.20.10, protocol: UDP, port: 53}}
---
{apiVersion: opencontrail.org/v1, kind: HealthMonitor, metadata: {name: web, namespace: made},
 spec: {type: HTTP, path: /healthz, host: web.example, port: 8081, expectedStatus: [204, "300-399"]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: fw-0, namespace: made, labels: {app: fw}, annotations: {k8s.v1.cni.cncf.io/networks: "left,right"}},
 spec: {nodeName: n1, containers: [{name: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: made, annotations: {opencontrail.org/network: left}}, spec: {nodeName: n1, containers: [{name: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web-0, namespace: made, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: a, ports: [{name: http, containerPort: 8080}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: made, annotations: {opencontrail.org/health-monitor: web}},
 spec: {type: LoadBalancer, ipFamilyPolicy: RequireDualStack, selector: {app: web}, externalIPs: [198.51.100.7], loadBalancerSourceRanges: [192.0.2.0/24],
  sessionAffinity: ClientIP, externalTrafficPolicy: Local, internalTrafficPolicy: Local, healthCheckNodePort: 32000,
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}, {name: dns, protocol: UDP, port: 53}]},
 status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: made}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: made},
 spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress],
  ingress: [{from: [{podSelector: {matchLabels: {role: api}}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: http}, {port: 8000, endPort: 8080}]}],
  egress: [{ports: [{port: 53, protocol: UDP}]}, {to: [{ipBlock: {cidr: "::/0"}}]}]}}
"""


def translated(folder):
    """What the manager makes of the manifests in a folder, in its order."""
    res = run([f"{BUILD}/contrail-kube-manager", "--manifests", folder, "--check",
               "--pod-network", "10.32.0.0/12,fd00:32::/64", "--node-block-size", "26",
               "--service-network", "10.96.0.0/12,fd00:96::/112"])
    events = [json.loads(line) for line in res.stdout.splitlines()]
    return [e["object"] for e in events if e["type"] == "ADDED"]


def as_written(kind, spec):
    """What a user would have written for it."""
    if kind == "VirtualNetwork":
        return {"subnets": [{"cidr": s["cidr"]} for s in spec["subnets"]]}
    if kind == "ServiceChain":
        return {"left": spec["left"], "right": spec["right"], "podSelector": {}}
    return {key: value for key, value in spec.items() if key != "network"}


def keep(obj, lost):
    """Stores one resource; what comes back different goes to `lost`."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    namespace = obj["metadata"]["namespace"] or "default"
    if kind not in RESOLVED:
        back = make(kind, obj["spec"], name, namespace, strict=False)["spec"]
    else:
        path = path_of(kind, namespace, name)
        if not cp.api.find(path):
            make(kind, as_written(kind, obj["spec"]), name, namespace)
        back = cp.api.patch(f"{path}/status", {"status": obj["spec"]})["status"]
    if back != obj["spec"]:
        lost.append((kind, name, obj["spec"], back))


def managers():
    """The manager's own resources are stored without a loss."""
    kinds, lost = set(), []
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/all.yaml", "w", encoding="utf-8") as out:
            out.write(MANIFEST)
        made = translated(folder)
    for space in {o["metadata"]["namespace"] for o in made} - {"", "default"}:
        cp.namespace(space)
    for obj in made:
        kinds.add(obj["kind"])
        keep(obj, lost)
    tap.equal(lost, [], f"{len(made)} resources of the manager are stored as they are")
    tap.equal(kinds, set(SHORT) - {"LogicalRouter", "HealthMonitor"},
              "every kind that the manager makes was among them")


def conditions():
    path = path_of("VirtualNetwork", name="blue")
    one = {"type": "Ready", "status": "True", "observedGeneration": 1, "reason": "Allocated",
           "lastTransitionTime": "2026-01-31T03:00:00Z", "message": "VNI 4711"}
    seen = cp.api.patch(f"{path}/status", {"spec": {"vni": 99}, "status": {"conditions": [one]}})
    tap.equal(seen["status"]["conditions"], [one], "a condition is stored")
    tap.equal(seen["spec"].get("vni"), None, "who writes the status does not change the spec")
    seen = cp.api.patch(path, {"spec": {"vni": 4711}, "status": {"conditions": []}})
    tap.equal([seen["spec"]["vni"], seen["status"]["conditions"], seen["metadata"]["generation"]],
              [4711, [one], 2], "who writes the spec does not change the status")
    for what, wrong in (("status", {**one, "status": "Maybe"}), ("reason", {**one, "reason": "two words"})):
        try:
            cp.api.patch(f"{path}/status", {"status": {"conditions": [wrong]}})
            tap.check(False, f"a condition with a wrong {what} is refused")
        except ApiError as err:
            tap.check(f"status.conditions[0].{what}" in err.message,
                      f"a condition with a wrong {what} is refused", err)


# ---- what is wrong: kind, spec, the field that the answer has to name

NET = {"subnets": [{"cidr": "10.64.0.0/16"}]}
ROUTER = {"network": "blue"}
CHAIN = {"left": "a", "right": "b", "podSelector": {}}
HTTP = {"type": "HTTP"}
LOCAL = {"address": "169.254.20.10", "port": 53}
BAD = (
    ("VirtualNetwork", None, "spec: Required"),
    ("VirtualNetwork", {}, "spec.subnets: Required"),
    ("VirtualNetwork", {"subnets": []}, "spec.subnets"),
    ("VirtualNetwork", {"subnets": [{}]}, "spec.subnets[0].cidr: Required"),
    ("VirtualNetwork", {"subnets": [{"cidr": "10.64.0.0"}]}, "spec.subnets[0].cidr"),
    ("VirtualNetwork", {"subnets": [{"cidr": "10.64.0.0/33"}]}, "spec.subnets[0].cidr"),
    ("VirtualNetwork", {"subnets": [{"cidr": f"10.{i}.0.0/16"} for i in range(17)]}, "spec.subnets"),
    ("VirtualNetwork", {**NET, "vni": 15}, "spec.vni"),
    ("VirtualNetwork", {**NET, "vni": 1048576}, "spec.vni"),
    ("VirtualNetwork", {**NET, "vni": "16"}, "spec.vni"),
    ("VirtualNetwork", {**NET, "vlan": 5}, "spec.vlan"),
    ("LogicalRouter", {}, "spec.network: Required"),
    ("LogicalRouter", {"network": "a/b/c"}, "spec.network"),
    ("LogicalRouter", {"network": "Blue"}, "spec.network"),
    ("LogicalRouter", {**ROUTER, "snat": {"addresses": ["203.0.113.300"]}}, "spec.snat.addresses[0]"),
    ("LogicalRouter", {**ROUTER, "snat": {"addresses": []}}, "spec.snat.addresses"),
    ("LogicalRouter", {**ROUTER, "snat": {"addresses": ["192.0.2.1", "192.0.2.1"]}}, "spec.snat.addresses[1]"),
    ("LogicalRouter", {**ROUTER, "snat": {"nodes": ["n1"]}}, "spec.snat"),
    ("LogicalRouter", {**ROUTER, "nonMasqueradeCIDRs": ["10/8"]}, "spec.nonMasqueradeCIDRs[0]"),
    ("LogicalRouter", {**ROUTER, "reachable": "yes"}, "spec.reachable"),
    ("ServiceChain", {"left": "a", "right": "b"}, "spec.podSelector: Required"),
    ("ServiceChain", {**CHAIN, "right": "a"}, "spec.right"),
    ("ServiceChain", {**CHAIN, "podSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
     "spec.podSelector.matchExpressions[0].operator"),
    ("HealthMonitor", {}, "spec.type: Required"),
    ("HealthMonitor", {"type": "UDP"}, "spec.type"),
    ("HealthMonitor", {**HTTP, "intervalSeconds": 0}, "spec.intervalSeconds"),
    ("HealthMonitor", {**HTTP, "timeoutSeconds": 6}, "spec.timeoutSeconds"),
    ("HealthMonitor", {**HTTP, "intervalSeconds": 2, "timeoutSeconds": 3}, "spec.timeoutSeconds"),
    ("HealthMonitor", {**HTTP, "unhealthyThreshold": 11}, "spec.unhealthyThreshold"),
    ("HealthMonitor", {**HTTP, "port": 65536}, "spec.port"),
    ("HealthMonitor", {**HTTP, "path": "healthz"}, "spec.path"),
    ("HealthMonitor", {**HTTP, "path": "/a b"}, "spec.path"),
    ("HealthMonitor", {**HTTP, "path": "/a#b"}, "spec.path"),
    ("HealthMonitor", {**HTTP, "host": "a_b"}, "spec.host"),
    ("HealthMonitor", {**HTTP, "expectedStatus": [99]}, "spec.expectedStatus[0]"),
    ("HealthMonitor", {**HTTP, "expectedStatus": ["200..299"]}, "spec.expectedStatus[0]"),
    ("HealthMonitor", {"type": "TCP", "path": "/"}, "spec.path"),
    ("HealthMonitor", {"type": "PING", "port": 80}, "spec.port"),
    ("LinkLocalService", {"port": 53}, "spec.address: Required"),
    ("LinkLocalService", {**LOCAL, "address": "10.0.0.1"}, "spec.address"),
    ("LinkLocalService", {**LOCAL, "address": "169.254.20"}, "spec.address"),
    ("LinkLocalService", {**LOCAL, "protocol": "ICMP"}, "spec.protocol"),
    ("LinkLocalService", {**LOCAL, "nodePort": 0}, "spec.nodePort"),
    ("InstanceIP", {"address": "10.0.0.1", "family": "IPv4", "network": "a/b"}, "spec"),
    ("VirtualMachineInterface", {"network": "blue", "pod": "a", "interface": "eth0"}, "spec.network"),
    ("SecurityGroup", {"rules": [{"direction": "ingress", "peer": {}}]}, "spec.rules[0].peer"),
    ("SecurityGroup", {"rules": [{"direction": "in"}]}, "spec.rules[0].direction"),
    ("SecurityGroup", {"enforce": ["both"]}, "spec.enforce[0]"),
    ("LoadBalancer", {"network": "a/b", "listeners": [{"protocol": "TCP", "port": 0, "pools": {}}]},
     "spec.listeners[0].port"),
    ("LoadBalancerPool", {"loadBalancer": "a/b", "network": "a/b", "protocol": "TCP", "family": "IPv4",
                          "members": [{"address": "x", "port": 1, "weight": 256, "state": "new"}]},
     "spec.members[0].weight"),
)


def refused():
    for kind, spec, field in BAD:
        what = f"{kind} {json.dumps(spec)[:70]}: {field}"
        try:
            make(kind, spec, "bad")
            tap.check(False, f"refused: {what}")
            cp.api.delete(path_of(kind, name="bad"))
        except ApiError as err:
            tap.check(err.code in (400, 422) and field in err.message, f"refused: {what}", err)
    for kind, spec in (("VirtualNetwork", NET), ("LogicalRouter", ROUTER), ("ServiceChain", CHAIN)):
        try:
            make(kind, spec, "a.b")
            tap.check(False, f"{kind}: a name with a dot is refused")
        except ApiError as err:
            tap.check("DNS label" in err.message, f"{kind}: a name with a dot is refused", err)


def looked_at():
    """What an operator sees."""
    text = cp.kubectl("get", "vn,vmi,iip,lb,lbpool,sg,lr", "-A")
    rows = {line.split()[1]: line.split() for line in text.splitlines() if line}
    for start in ("virtualnetwork.opencontrail.org/blue", "virtualmachineinterface.opencontrail.org/fw-0.net1",
                  "loadbalancer.opencontrail.org/web", "loadbalancerpool.opencontrail.org/web.http.ipv6",
                  "securitygroup.opencontrail.org/policy-all", "logicalrouter.opencontrail.org/blue-out"):
        tap.check(start in rows, f"kubectl get shows {start}", text)
    tap.equal(rows.get("virtualnetwork.opencontrail.org/left", [])[3:4], ["10.64.0.0/16"], "a network's subnet")
    tap.equal(rows.get("virtualmachineinterface.opencontrail.org/fw-0.net1", [])[2:4], ["made/left", "n1"],
              "an interface's network and node")
    tap.check("instanceip.opencontrail.org/" in text, "and the addresses in use", text)
    tap.equal(cp.kubectl("get", "opencontrail", "-A", "-o", "name").count("healthmonitor"), 3,
              "all kinds are in the category")
    if os.environ.get("V"):
        tap.say(text)


def own_status():
    """A node's daemon, by the token of its pod, writes its own VirtualRouter's status, and no other one's."""
    def refusal(name, api):
        """What the server says against a write of that status, if anything."""
        try:
            api.patch(f"{path_of('VirtualRouter', name=name)}/status", {"status": {"failedMembers": []}})
        except ApiError as err:
            return str(err)
        return ""

    def daemon(pod=None):
        return Api(cp.address, cp.port, cp.tls.ca, token=cp.service_account_token("kube-system", "vrouterd", pod=pod))
    cp.kubectl("apply", "-f", f"{DEPLOY}/kubernetes/rbac.yaml", "-f", f"{DEPLOY}/kubernetes/own-status.yaml")
    for name in ("here", "there"):
        cp.node(name)
        make("VirtualRouter", {}, name)
    here = daemon(cp.pod("kube-system", "vrouterd-here", "here", serviceAccountName="vrouterd"))
    # It holds a moment after it was made.
    wait_for(lambda: refusal("there", here), "the policy holds", PATIENCE)
    tap.equal(refusal("here", here), "", "a daemon writes the status of its own node's VirtualRouter")
    for name, api, title in (("there", here, "and no other node's"), ("here", daemon(), "and none with a token that is no pod's")):
        seen = refusal(name, api)
        tap.check("403" in seen and f"may not write the status of VirtualRouter {name}" in seen, title, seen)
    tap.equal(refusal("there", cp.api), "", "others write as far as their rights go")


with cp:
    cp.api.find("/api/v1/namespaces/default")
    CASES = (manifests, established, explained, examples, managers, own_status, conditions, refused, looked_at)
    tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
    if tap.failed:
        tap.say(cp.logs(20))
tap.done()
