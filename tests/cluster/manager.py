#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""contrail-kube-manager on a real API server: what it makes of Kubernetes' objects, and what it says of them and itself."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.kube import PATIENCE, ControlPlane
from vrtest.kube_api import ApiError
from vrtest.manager import POD_NETWORK, Manager
from vrtest.node import SRC
from vrtest.tap import Tap, wait_for
from vrtest.team import GROUP, WEB, Team

tap = Tap("manager")
cp = ControlPlane(controller_manager=True)
DEPLOY = f"{SRC}/userspace/deploy/kubernetes"
PODS = f"{POD_NETWORK},10.160.0.0/16"
manager = Manager(cp, "one", pods=PODS)
team = Team(tap, cp, [manager])
until, post, get, spec, told = team.until, cp.api.post, team.get, team.spec, team.told
make_pod, delete_pod, policy, addresses, blocks, in_blocks = (
    team.make_pod, team.delete_pod, team.policy, team.addresses, team.blocks, team.in_blocks)


# ---- cases

def set_up():
    team.set_up()
    # wrong before anybody is there to tell
    make_pod("early", "n1", labels={"app": "early"}, **{"opencontrail.org/network": "nowhere"})
    manager.start()


def not_ready():
    """Before the first list the manager lives, and is not ready."""
    apiserver, m = cp.programs["kube-apiserver"].proc, Manager(cp, "two", pods=PODS)
    conf = m.kubeconfig()
    apiserver.send_signal(signal.SIGSTOP)
    try:
        m.start(conf)
        until(lambda: m.ask("/healthz"), "the manager listens")
        tap.equal(m.ask("/healthz")[0], 200, "/healthz: it lives")
        status, _, text = m.ask("/readyz")
        tap.check(status == 503 and "[-]pods failed: not listed yet\n" in text and text.endswith("readyz check failed\n"),
                  "/readyz: it has not listed anything", text)
        tap.equal(m.metrics().get("vrouter_manager_leader"), 0, "and does not lead")
    finally:
        apiserver.send_signal(signal.SIGCONT)
    until(lambda: m.ask("/readyz")[0] == 200, "then it is ready")
    tap.equal(m.end(), 0, "and ends")
    until(lambda: manager.metrics().get("vrouter_manager_leader") == 1, "the other one leads")


def translated():
    """Everything that Kubernetes has becomes a resource."""
    until(lambda: get("projects", "team"), "Namespace: Project")
    until(lambda: (get("virtualnetworks", "cluster-network", "default") or {}).get("status", {}).get("subnets"),
          "the cluster's VirtualNetwork")
    until(lambda: (spec("virtualrouters", "n1") or {}).get("addresses") == ["192.0.2.1", "2001:db8::1"], "Node: VirtualRouter")
    cp.api.patch("/api/v1/nodes/n2", {"spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}})
    until(lambda: (spec("virtualrouters", "n2") or {}).get("leaving") is True, "a node that is about to be deleted")
    cp.api.patch("/api/v1/nodes/n2", {"spec": {"taints": None}})
    until(lambda: "leaving" not in spec("virtualrouters", "n2"), "and one that stays after all")
    until(lambda: len(get("virtualmachineinterfaces", namespace="team")) == 3, "Pod: VirtualMachineInterface")
    vmi = spec("virtualmachineinterfaces", "web-0", "team")
    tap.equal(len(vmi["addresses"]), 2, "of both families")
    for addr in vmi["addresses"]:
        ip = spec("instanceips", addr.replace(":", "-"))
        tap.equal((ip or {}).get("interface"), "team/web-0", f"InstanceIP {addr}")
    until(lambda: (spec("loadbalancers", "web", "team") or {}).get("vips"), "Service: LoadBalancer")
    vips = cp.api.get("/api/v1/namespaces/team/services/web")["spec"]["clusterIPs"]
    tap.equal(spec("loadbalancers", "web", "team")["vips"], vips, "its addresses are the service's")
    team.run_pods()
    want = {spec("virtualmachineinterfaces", f"web-{i}", "team")["addresses"][0] for i in range(3)}
    until(lambda: {m["address"] for m in spec("loadbalancerpools", "web.http", "team")["members"]} == want,
          "members follow the EndpointSlices")
    text = cp.kubectl("get", "vn,vmi,iip,lb,lbpool,sg,lr", "-A")
    tap.check("web-0" in text and "cluster-network" in text and "web.http" in text, "kubectl get shows all of it", text)


def waiting():
    """Pods that nobody has scheduled, and services that nobody has found endpoints for, wait in silence."""
    cp.api.post("/api/v1/namespaces/team/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "idle", "labels": WEB},
                                                 "spec": {"containers": [{"name": "c", "image": "none"}]}})
    make_pod("sync", "n1", labels={"app": "sync"})
    until(lambda: get("virtualmachineinterfaces", "sync", "team"), "a pod behind it")
    tap.check(not get("virtualmachineinterfaces", "idle", "team"), "a pod without a node has no interface")
    tap.check("idle" not in manager.said(), "and there is nothing to complain of", manager.said())
    for name in ("idle", "sync"):
        cp.kubectl("delete", "pod", name, "-n", "team", "--grace-period=0", "--force")


def quiet():
    """Nothing is written when nothing changes."""
    def versions():
        return {(p, o["metadata"]["name"]): o["metadata"]["resourceVersion"] for p in
                ("projects", "virtualnetworks", "virtualrouters", "virtualmachineinterfaces", "instanceips", "loadbalancers",
                 "loadbalancerpools", "securitygroups") for o in get(p)}
    before = versions()
    cp.api.patch("/api/v1/namespaces/team", {"metadata": {"labels": {"round": "1"}}})
    cp.api.patch("/api/v1/namespaces/team/pods/web-0", {"metadata": {"annotations": {"some": "thing"}}})
    make_pod("mark", "n1", labels={"app": "other"})
    until(lambda: get("virtualmachineinterfaces", "mark", "team"), "a pod that comes")
    after = versions()
    tap.equal({k: v for k, v in after.items() if before.get(k, v) != v}, {}, "leaves the other objects as they are")


def observed():
    """/readyz, /healthz and /metrics of the one that leads."""
    m = manager
    tap.equal(m.ask("/readyz"), (200, "text/plain; charset=utf-8", "ok"), "/readyz: all kinds have been listed")
    lines = m.ask("/readyz?verbose")[2].splitlines()
    tap.check("[+]pods ok" in lines and "[+]instanceips ok" in lines and lines[-1] == "readyz check passed", "?verbose names them", lines)
    tap.equal(m.ask("/healthz")[::2], (200, "ok"), "/healthz")
    tap.check("[+]write ok\n" in m.ask("/healthz?verbose")[2], "?verbose says of what")
    tap.equal([m.ask("/metrics", method)[0] for method in ("HEAD", "POST", "DELETE")], [200, 405, 405], "nothing but GET and HEAD")
    tap.equal([m.ask(path)[0] for path in ("/", "/healthzz", "/debug/objects/None", "/debug/objects/Pod/team/none")], [404] * 4, "404")
    until(lambda: not m.metrics().sum("vrouter_manager_pending_writes"), "/metrics: nothing is left to be written")
    before = m.metrics()
    tap.equal(m.ask("/metrics")[1], "text/plain; version=0.0.4; charset=utf-8", "its type")
    tap.equal(before.get("vrouter_manager_leader"), 1, "it leads")
    tap.equal(before.get("vrouter_manager_objects", kind="Pod"), len(cp.api.get("/api/v1/pods")["items"]), "pods")
    tap.equal(before.get("vrouter_manager_resources", kind="InstanceIP"), len(get("instanceips")), "resources")
    tap.equal(before.get("vrouter_manager_lists_total", resource="pods"), 1, "pods were listed once")
    tap.check(before.get("vrouter_manager_api_requests_total", verb="POST", code="201"), "requests")
    tap.check(before.get("process_cpu_seconds_total") > 0 and before.get("process_resident_memory_bytes") > 1 << 20 and
              before.get("process_start_time_seconds") > 1e9, "of the process")
    make_pod("counted", "n1", labels={"app": "counted"})
    until(lambda: get("virtualmachineinterfaces", "counted", "team"), "a pod more")
    until(lambda: not m.metrics().sum("vrouter_manager_pending_writes"), "is written")
    after = m.metrics()

    def more(name, **labels):
        return after.sum(name, **labels) - before.sum(name, **labels)
    tap.equal(more("vrouter_manager_objects", kind="Pod"), 1, "one pod more")
    tap.equal(more("vrouter_manager_writes_total", kind="VirtualMachineInterface", result="ok"), 1, "one write of an interface")
    tap.equal(more("vrouter_manager_writes_total", kind="InstanceIP", result="ok"), 2, "and of two addresses")
    for family in ("IPv4", "IPv6"):
        labels = {"network": "default/cluster-network", "family": family}
        tap.equal(more("vrouter_manager_addresses_in_use", **labels), 1, f"{family}: one address more in use")
    tap.equal(more("vrouter_manager_addresses_free", network="default/cluster-network", family="IPv4"), -1, "one less is free")
    tap.check(more("vrouter_manager_reconcile_duration_seconds_count") >= 1, "translations are timed")
    tap.check(more("vrouter_manager_watch_events_total", resource="pods") >= 1, "and events counted")
    cp.kubectl("delete", "pod", "counted", "-n", "team", "--grace-period=0", "--force")
    until(lambda: not get("virtualmachineinterfaces", "counted", "team"), "the pod goes")


def introspected():
    """What the manager knows of a pod, and of what it made of it."""
    m = manager
    kinds = m.page("")
    tap.equal({k["kind"]: k["count"] for k in kinds["objects"]}["Service"], len(cp.api.get("/api/v1/services")["items"]), "/debug/ counts kinds")
    names = [i["name"] for i in m.page("objects/Pod")["items"]]
    tap.check("team/web-0" in names and names == sorted(names), "/debug/objects/Pod lists pods", names)
    tap.equal([i["name"] for i in m.page("objects/Pod?after=team/web-0")["items"]], names[names.index("team/web-0") + 1:], "from one on")
    pod = m.page("objects/Pod/team/web-0")
    vmi = get("virtualmachineinterfaces", "web-0", "team")
    tap.equal((pod["node"], pod["problem"], pod["interfaces"][0]["addresses"]), ("n1", None, vmi["spec"]["addresses"]), "a pod")
    made = {(r["kind"], r["name"]) for r in pod["resources"]}
    tap.equal(made, {("VirtualMachineInterface", "team/web-0")} | {("InstanceIP", a.replace(":", "-")) for a in vmi["spec"]["addresses"]},
              "and what was made of it")
    made = {r["kind"] for r in m.page("objects/Service/team/web")["resources"]}
    tap.equal(made, {"LoadBalancer", "LoadBalancerPool", "InstanceIP"}, "the same of a service")
    res = m.page("resources/VirtualMachineInterface/team/web-0")
    tap.equal(res["resource"]["spec"], vmi["spec"], "its interface")
    tap.equal((str(res["apiServer"]["resourceVersion"]), res["apiServer"]["state"]), (vmi["metadata"]["resourceVersion"], "as wanted"),
              "as the API server has it")
    early = m.page("objects/Pod/team/early")
    tap.check("there is no VirtualNetwork team/nowhere" in (early["problem"] or ""), "what is wrong with a pod", early)
    html = m.ask("/debug/objects/Pod/team/web-0")
    tap.check(html[1] == "text/html; charset=utf-8" and "/debug/resources/VirtualMachineInterface/team/web-0" in html[2], "for people: HTML", html)
    tap.check("&lt;b&gt;" in m.ask("/debug/objects/%3Cb%3E")[2] or m.ask("/debug/objects/%3Cb%3E")[0] == 404, "hostile paths are no HTML")
    tap.check("application/json" in m.ask("/debug/?format=json")[1], "?format=json")


def policies():
    policy("only-web", {"podSelector": {"matchLabels": WEB}, "ingress": [{"from": [{"podSelector": {"matchLabels": WEB}}], "ports": [{"port": 8080}]}]})
    until(lambda: spec("securitygroups", "policy-only-web", "team"), "NetworkPolicy: SecurityGroup")
    until(lambda: "team/policy-only-web" in spec("virtualmachineinterfaces", "web-1", "team")["securityGroups"], "on its pods")
    tap.check("team/policy-only-web" not in spec("virtualmachineinterfaces", "mark", "team")["securityGroups"], "and on no other")
    before = get("securitygroups", "policy-only-web", "team")["metadata"]["resourceVersion"]
    cp.api.patch("/api/v1/namespaces/team/pods/mark", {"metadata": {"labels": WEB}})
    until(lambda: "team/policy-only-web" in spec("virtualmachineinterfaces", "mark", "team")["securityGroups"], "a label moves the pod in")
    tap.equal(get("securitygroups", "policy-only-web", "team")["metadata"]["resourceVersion"], before, "the rules stay")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/only-web")
    until(lambda: not get("securitygroups", "policy-only-web", "team"), "without the policy the group goes")


def serve_kind(manifest, path):
    """One that another project defines, and that comes while the manager runs."""
    cp.kubectl("apply", "-f", f"{SRC}/tests/cluster/{manifest}.yaml")

    def is_served():
        try:
            return cp.api.find(path)
        except ApiError as err:
            if err.code == 429:     # its storage is not ready
                return None
            raise
    wait_for(is_served, "the kind", PATIENCE)


def attachments():
    """NetworkAttachmentDefinitions, and pods with further interfaces by them."""
    path = "/apis/k8s.cni.cncf.io/v1/namespaces/team/network-attachment-definitions"
    serve_kind("networkattachmentdefinition", path)

    def define(name, plugin, **notes):
        post(path, {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
                    "metadata": {"name": name, "annotations": {f"opencontrail.org/{k}": v for k, v in notes.items()}},
                    "spec": {"config": plugin if plugin.startswith("{") else f'{{"cniVersion": "1.1.0", "type": "{plugin}"}}'}})
    define("fast", "macvlan")
    define("lab", "contrail-cni", cidr="10.70.0.0/24,fd00:70::/64")
    define("broken", '{"type')
    cp.pod("team", "multi", "n1", {"app": "multi"}, annotations={"k8s.v1.cni.cncf.io/networks": "fast, lab@lab0"})
    until(lambda: (spec("virtualmachineinterfaces", "multi.lab0", "team") or {}).get("network") == "team/lab",
          "a pod's interface in a network that its attachment definition makes")
    tap.equal(spec("virtualmachineinterfaces", "multi", "team")["additional"], ["team/multi.lab0"], "the other plugin's is not the manager's")
    network = get("virtualnetworks", "lab", "team")
    tap.equal([s["cidr"] for s in network["spec"]["subnets"]], ["10.70.0.0/24", "fd00:70::/64"], "the network has its prefixes")
    until(lambda: [c["status"] for c in get("virtualnetworks", "lab", "team")["status"]["conditions"] if c["type"] == "Ready"] == ["True"],
          "and is ready")
    until(lambda: any("spec.config: is not JSON" in e["message"] and e["involvedObject"]["name"] == "broken"
                      for e in cp.api.get("/api/v1/namespaces/team/events")["items"]), "a configuration that is no JSON: an Event on it")
    cp.kubectl("delete", "pod", "multi", "-n", "team", "--grace-period=0", "--force")
    until(lambda: not get("virtualmachineinterfaces", "multi", "team"), "the pod goes")
    for name in ("fast", "lab", "broken"):
        cp.api.delete(f"{path}/{name}")
    until(lambda: not get("virtualnetworks", "lab", "team"), "the network goes with its definition")


def cluster_policies():
    """The kind comes while the manager runs; what is wrong with a policy is an Event."""
    path = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies"
    serve_kind("clusternetworkpolicy", path)

    def put(name, **body):
        post(path, {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
                    "metadata": {"name": name}, "spec": {"subject": {"namespaces": {}}, **body}})
    put("floor", tier="Baseline", priority=7, ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    put("wrong", tier="Admin", priority=1, egress=[{"action": "Accept", "to": [{"domainNames": ["a.example"]}]}])
    until(lambda: spec("securitygroups", "cluster-policy-floor", "default"), "a ClusterNetworkPolicy becomes a group")
    group = spec("securitygroups", "cluster-policy-floor", "default")
    tap.equal((group["tier"], group["priority"], group["rules"][0]["action"]), ("baseline", 7, "deny"), "of its tier and priority")
    until(lambda: "default/cluster-policy-floor" in spec("virtualmachineinterfaces", "web-0", "team")["securityGroups"],
          "which the pods are in")
    until(lambda: any(e["involvedObject"]["name"] == "wrong" and "is no peer that is known here" in e["message"]
                      for e in cp.api.get("/api/v1/namespaces/default/events")["items"]), "an unknown peer is an Event")
    for name in ("floor", "wrong"):
        cp.api.delete(f"{path}/{name}")
    until(lambda: not spec("securitygroups", "cluster-policy-floor", "default"), "and goes with it")


def examples():
    """What is shipped as examples is taken by the API server, and nothing of it is complained of."""
    cp.kubectl("apply", "-f", f"{DEPLOY}/examples")
    until(lambda: spec("loadbalancers", "orders", "default"), "examples: a service")
    until(lambda: spec("securitygroups", "policy-from-frontend", "example-shop"), "a policy")
    until(lambda: spec("securitygroups", "cluster-policy-no-metadata", "default"), "a cluster's policy")
    until(lambda: (get("virtualnetworks", "blue", "default") or {}).get("status", {}).get("egress") is not None,
          "a network with a way outside")
    names = {"example-shop", "from-frontend", "orders", "invoices", "no-metadata", "closed-by-default", "blue", "blue-out", "in-blue"}
    told = [e["message"] for e in cp.api.get("/api/v1/events")["items"]
            if e["involvedObject"]["name"] in names and e["source"].get("component") == "contrail-kube-manager"]
    tap.equal(told, [], "without a complaint")
    cp.kubectl("delete", "-f", f"{DEPLOY}/examples", "--grace-period=0", "--force")
    until(lambda: not spec("securitygroups", "cluster-policy-no-metadata", "default"), "and they go again")


def users_group():
    """A SecurityGroup of a user's: pods are in it by annotation, and wait for it."""
    notes = {"opencontrail.org/security-groups": "guarded, identity-x"}
    cp.pod("team", "guarded", "n1", {"app": "guarded"}, annotations=notes)
    until(lambda: any("there is no SecurityGroup team/guarded" in e["message"] for e in cp.api.get("/api/v1/namespaces/team/events")["items"]),
          "a pod whose SecurityGroup is not there: an Event")

    def make_group(name, **meta):
        post(f"{GROUP}/namespaces/team/securitygroups", {
            "apiVersion": "opencontrail.org/v1", "kind": "SecurityGroup", "metadata": {"name": name, **meta},
            "spec": {"enforce": ["ingress"], "rules": [{"direction": "ingress", "protocol": "TCP", "ports": {"from": 22}}]}})
    make_group("guarded")
    make_group("identity-x", labels={"app.kubernetes.io/managed-by": "contrail-kube-manager"})
    until(lambda: any("there is no SecurityGroup team/identity-x" in e["message"] for e in cp.api.get("/api/v1/namespaces/team/events")["items"]),
          "one that the manager made is nobody's to be in")
    tap.equal(get("virtualmachineinterfaces", "guarded", "team"), None, "and the pod still waits")
    cp.api.patch("/api/v1/namespaces/team/pods/guarded", {"metadata": {"annotations": {"opencontrail.org/security-groups": "guarded"}}})
    until(lambda: "team/guarded" in (spec("virtualmachineinterfaces", "guarded", "team") or {}).get("securityGroups", []), "then it is in its group")
    cp.api.patch("/api/v1/namespaces/team", {"metadata": {"annotations": {"opencontrail.org/security-groups": "guarded"}}})
    until(lambda: "team/guarded" in spec("virtualmachineinterfaces", "web-0", "team")["securityGroups"], "by its namespace: all pods there")
    cp.api.delete(f"{GROUP}/namespaces/team/securitygroups/guarded")
    until(lambda: "team/guarded" not in spec("virtualmachineinterfaces", "web-0", "team")["securityGroups"], "deleted: they are in it no longer")
    cp.api.patch("/api/v1/namespaces/team", {"metadata": {"annotations": {"opencontrail.org/security-groups": None}}})
    cp.kubectl("delete", "pod", "guarded", "-n", "team", "--grace-period=0", "--force")


def isolation():
    cp.api.patch("/api/v1/namespaces/team", {"metadata": {"annotations": {"opencontrail.org/isolation": "true"}}})
    until(lambda: spec("securitygroups", "isolation-ingress", "team"), "an isolated namespace has its groups")
    until(lambda: "team/isolation-ingress" in spec("virtualmachineinterfaces", "web-0", "team")["securityGroups"], "its pods are in them")
    cp.api.patch("/api/v1/namespaces/team", {"metadata": {"annotations": {"opencontrail.org/isolation": None}}})
    until(lambda: not get("securitygroups", "isolation-ingress", "team"), "and back")


def controller(kind, name, labels=None, api="apps/v1"):
    body = {"selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "none"}]}}}
    if kind == "StatefulSet":
        body["serviceName"] = name
    if kind == "Job":
        del body["selector"], body["template"]["metadata"]
        body["template"]["spec"]["restartPolicy"] = "Never"
    return post(f"/apis/{api}/namespaces/team/{kind.lower()}s",
                {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels or {}}, "spec": body})


def owned(name, kind, owner, labels=None, api="apps/v1"):
    """A pod that a controller has made; the kinds' own controllers do not run here."""
    return post("/api/v1/namespaces/team/pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}, "ownerReferences": [
            {"apiVersion": api, "kind": kind, "name": owner, "uid": "0a0a0a0a-0000-4000-8000-000000000000", "controller": True}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "none"}]}})


def app_of(pod):
    """The apps whose own groups the pod is in."""
    found = get("virtualmachineinterfaces", pod, "team")
    return {g.split(".", 1)[1] for g in found["spec"]["securityGroups"] if g.startswith("team/isolation-ingress.")} if found else None


def apps():
    """The label of an app on what made the pod; a ReplicaSet's is that of its Deployment."""
    app = {"opencontrail.org/name": "shop"}
    controller("Deployment", "front", app)
    owned("front-6b5-x", "ReplicaSet", "front-6b5", {"pod-template-hash": "6b5"})
    owned("fronts-6b5-x", "ReplicaSet", "fronts-6b5", {"pod-template-hash": "6b5"})
    until(lambda: app_of("front-6b5-x") == {"shop"}, "a pod is in the app of its Deployment")
    until(lambda: app_of("fronts-6b5-x") == set(), "that of another Deployment is not")
    for kind, api in (("StatefulSet", "apps/v1"), ("DaemonSet", "apps/v1"), ("Job", "batch/v1")):
        name = f"of-{kind.lower()}"
        owned(f"{name}-0", kind, name, api=api)
        until(lambda pod=f"{name}-0": app_of(pod) == set(), f"a pod of a {kind} is in none")
        controller(kind, name, {"opencontrail.org/name": "back"}, api)
        until(lambda pod=f"{name}-0": app_of(pod) == {"back"}, f"which then has the label, and so is in its app: {kind}")
    cp.api.patch("/apis/apps/v1/namespaces/team/deployments/front", {"metadata": {"labels": {"opencontrail.org/name": None}}})
    until(lambda: app_of("front-6b5-x") == set(), "the Deployment's label is taken away, and the pod is in no app")
    cp.api.patch("/apis/apps/v1/namespaces/team/statefulsets/of-statefulset", {"metadata": {"labels": {"opencontrail.org/name": "shop"}}})
    until(lambda: app_of("of-statefulset-0") == {"shop"}, "the label changes, and the pod's app with it")
    cp.api.delete("/apis/apps/v1/namespaces/team/daemonsets/of-daemonset")
    until(lambda: app_of("of-daemonset-0") == set(), "the DaemonSet is gone, and its label with it")
    for name in ("front-6b5-x", "fronts-6b5-x", "of-statefulset-0", "of-daemonset-0", "of-job-0"):
        delete_pod(name)
    for plural in ("deployments", "statefulsets"):
        cp.kubectl("delete", "-n", "team", plural, "--all")
    cp.kubectl("delete", "-n", "team", "jobs", "--all")


def condition(name, kind):
    """A network's: status, the generation it is of, the message."""
    for c in (get("virtualnetworks", name, "team").get("status") or {}).get("conditions", []):
        if c["type"] == kind:
            return c["status"], c["observedGeneration"], c["message"]
    return None, 0, ""


def ready(name):
    return condition(name, "Ready")


def users_network():
    post(f"{GROUP}/namespaces/team/virtualnetworks", {
        "apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork", "metadata": {"name": "blue"},
        "spec": {"subnets": [{"cidr": "10.200.0.0/24"}]}})
    until(lambda: (get("virtualnetworks", "blue", "team").get("status") or {}).get("vni"), "a user's network gets its number")
    until(lambda: ready("blue") == ("True", 1, "in force as it is written"), "and is Ready")
    number = get("virtualnetworks", "blue", "team")["status"]["vni"]
    post(f"{GROUP}/namespaces/team/virtualnetworks", {
        "apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork", "metadata": {"name": "red"},
        "spec": {"vni": number, "subnets": [{"cidr": "10.201.0.0/24"}]}})
    until(lambda: ready("red")[0] == "False" and str(number) in ready("red")[2], "one whose number is taken is not, and says why")
    cp.api.patch(f"{GROUP}/namespaces/team/virtualnetworks/red", {"spec": {"vni": number + 1}})
    until(lambda: ready("red") == ("True", 2, "in force as it is written"), "mended, it is")
    cp.api.delete(f"{GROUP}/namespaces/team/virtualnetworks/red")
    make_pod("blue-0", "n1", labels={"app": "blue"}, **{"opencontrail.org/network": "blue"})
    until(lambda: (spec("virtualmachineinterfaces", "blue-0", "team") or {}).get("network") == "team/blue", "a pod in it")
    cp.kubectl("delete", "pod", "blue-0", "-n", "team", "--grace-period=0", "--force")
    until(lambda: not get("virtualmachineinterfaces", "blue-0", "team"), "the pod gone, its interface goes")
    until(lambda: not [i for i in get("instanceips") if i["spec"]["network"] == "team/blue"], "and its address")
    cp.api.delete(f"{GROUP}/namespaces/team/virtualnetworks/blue")
    until(lambda: not get("virtualnetworks", "blue", "team"), "the network is the user's to delete")


def address_blocks():
    """Nodes have blocks of the cluster's network, of which their pods have addresses."""
    subnets = [s["cidr"] for s in get("virtualnetworks", "cluster-network", "default")["status"]["subnets"]]
    tap.equal(subnets, ["10.32.0.0/12", "fd00:32::/64", "10.160.0.0/16"], "the cluster's network has all its subnets")
    until(lambda: all(in_blocks(f"web-{i}", f"n{1 + i % 2}") for i in range(3)), "pods have addresses of their node's blocks")
    tap.equal(sorted(c.split("/")[1] for _, c in blocks("n1")), ["122", "26"], "one block of each family")
    tap.check(not set(blocks("n1")) & set(blocks("n2")), "no block is two nodes'", f"{blocks('n1')} {blocks('n2')}")
    tap.check(blocks("n1")[0][1] in cp.kubectl("get", "virtualrouters", "n1"), "kubectl get shows them")


def exhaustion():
    """A network without an address left says so; who waits gets what is freed, or added."""
    post(f"{GROUP}/namespaces/team/virtualnetworks", {
        "apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork", "metadata": {"name": "tiny"},
        "spec": {"subnets": [{"cidr": "10.202.0.0/29"}, {"cidr": "10.202.0.0/24"}]}})
    until(lambda: "10.202.0.0/29 and 10.202.0.0/24 overlap" in ready("tiny")[2], "subnets that overlap are refused, with both names")
    cp.api.patch(f"{GROUP}/namespaces/team/virtualnetworks/tiny", {"spec": {"subnets": [{"cidr": "10.202.0.0/29"}]}})
    until(lambda: condition("tiny", "AddressesExhausted")[0] == "False", "a new network has addresses")
    note = {"opencontrail.org/network": "tiny"}
    for i in range(5):
        make_pod(f"tiny-{i}", "n1", labels={"app": "tiny"}, **note)
    until(lambda: len([i for i in get("instanceips") if i["spec"]["network"] == "team/tiny"]) == 5, "five pods have the five addresses")
    until(lambda: condition("tiny", "AddressesExhausted")[0] == "True", "its condition says that there is none left")
    tap.check("IPv4" in condition("tiny", "AddressesExhausted")[2], "and of which family", condition("tiny", "AddressesExhausted")[2])
    make_pod("tiny-5", "n2", labels={"app": "tiny"}, **note)
    until(lambda: told("tiny-5", "VirtualNetwork team/tiny is exhausted: all of its 5 IPv4 addresses (10.202.0.0/29) are in use"),
          "a sixth pod has an Event with network, family and number")
    freed = spec("virtualmachineinterfaces", "tiny-3", "team")["addresses"]
    delete_pod("tiny-3")
    until(lambda: (spec("virtualmachineinterfaces", "tiny-5", "team") or {}).get("addresses") == freed, "it gets the one that is freed")
    make_pod("tiny-6", "n2", labels={"app": "tiny"}, **note)
    until(lambda: told("tiny-6", "is exhausted"), "a seventh waits")
    before = {k: v for k, v in addresses().items() if v.startswith("team/tiny")}
    cp.api.patch(f"{GROUP}/namespaces/team/virtualnetworks/tiny", {"spec": {"subnets": [{"cidr": "10.202.0.0/29"}, {"cidr": "10.203.0.0/24"}]}})
    until(lambda: spec("virtualmachineinterfaces", "tiny-6", "team"), "until the network gets another subnet")
    until(lambda: in_blocks("tiny-6", "n2", "team/tiny"), "of which its node has a block")
    until(lambda: condition("tiny", "AddressesExhausted")[0] == "False", "and the condition goes")
    tap.equal({k: v for k, v in addresses().items() if v.startswith("team/tiny") and v != "team/tiny-6"}, before, "the others keep theirs")
    for i in (0, 1, 2, 4, 5, 6):
        delete_pod(f"tiny-{i}")
    until(lambda: not [b for b in blocks("n2") if b[0] == "team/tiny"], "a block without addresses is nobody's")
    cp.api.delete(f"{GROUP}/namespaces/team/virtualnetworks/tiny")


def namespace_network():
    """A namespace's annotation says where its pods are."""
    cp.namespace("apart")
    cp.api.patch("/api/v1/namespaces/apart", {"metadata": {"annotations": {
        "opencontrail.org/network": "team/apart", "opencontrail.org/ip_fabric_forwarding": "true"}}})
    until(lambda: told("apart", "give VirtualNetwork team/apart a LogicalRouter with reachable: true", "default"),
          "ip_fabric_forwarding of a namespace: an Event says what to do")
    cp.pod("apart", "p", "n1", {"app": "p"}, ports=[8080])
    until(lambda: told("p", "there is no VirtualNetwork team/apart", "apart"), "a network that is not there: an Event on the pod")
    post(f"{GROUP}/namespaces/team/virtualnetworks", {
        "apiVersion": "opencontrail.org/v1", "kind": "VirtualNetwork", "metadata": {"name": "apart"},
        "spec": {"subnets": [{"cidr": "10.204.0.0/24"}]}})
    until(lambda: (spec("virtualmachineinterfaces", "p", "apart") or {}).get("network") == "team/apart", "then the pod is in it")
    cp.pod_status("apart", "p", spec("virtualmachineinterfaces", "p", "apart")["addresses"])
    delete_pod("p", "apart")
    cp.kubectl("delete", "namespace", "apart", "--wait=false")
    cp.api.delete(f"{GROUP}/namespaces/team/virtualnetworks/apart")
    until(lambda: not cp.api.find("/api/v1/namespaces/apart"), "and the namespace can go")


def health():
    """What a node says of its members, in the status of its VirtualRouter, reaches their pools."""
    post(f"{GROUP}/namespaces/team/healthmonitors", {
        "apiVersion": "opencontrail.org/v1", "kind": "HealthMonitor", "metadata": {"name": "http"},
        "spec": {"type": "HTTP", "path": "/healthz"}})
    cp.api.patch("/api/v1/namespaces/team/services/web", {"metadata": {"annotations": {"opencontrail.org/health-monitor": "http"}}})
    until(lambda: "healthMonitor" in spec("loadbalancerpools", "web.http", "team"), "a pool has its monitor")
    addr = spec("virtualmachineinterfaces", "web-1", "team")["addresses"][0]

    def say(*failed):
        cp.api.patch(f"{GROUP}/virtualrouters/n2/status", {"status": {"failedMembers": list(failed)}})

    def state():
        return {m["address"]: m["state"] for m in spec("loadbalancerpools", "web.http", "team")["members"]}[addr]

    say({"healthMonitor": "team/http", "address": addr, "port": 8080, "reason": "HTTP status 500", "since": "2026-01-31T03:00:00Z"})
    until(lambda: state() == "failed", "a member that its node sees fail is failed")
    say()
    until(lambda: state() == "active", "and active when it heals")
    cp.api.patch("/api/v1/namespaces/team/services/web", {"metadata": {"annotations": {"opencontrail.org/health-monitor": None}}})


def foreign():
    """What somebody else made under a name that the manager would give is left alone."""
    post(f"{GROUP}/namespaces/team/securitygroups", {
        "apiVersion": "opencontrail.org/v1", "kind": "SecurityGroup", "metadata": {"name": "policy-mine"},
        "spec": {"enforce": [], "rules": []}})
    policy("mine", {"podSelector": {"matchLabels": WEB}, "ingress": [{"ports": [{"port": 8080}]}]})
    until(lambda: "policy-mine" in manager.said(), "a SecurityGroup of a user's has the name of a policy's: the log says so")
    tap.equal(spec("securitygroups", "policy-mine", "team"), {"enforce": [], "rules": []}, "it is not touched")
    cp.api.delete(f"{GROUP}/namespaces/team/securitygroups/policy-mine")
    until(lambda: (spec("securitygroups", "policy-mine", "team") or {}).get("rules"), "without it the policy has its own")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/mine")


def namespace_gone():
    """A namespace is deleted with all that is in it."""
    cp.namespace("short")
    cp.pod("short", "p", "n1", {"app": "p"}, ports=[8080])
    post("/api/v1/namespaces/short/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {
        "selector": {"app": "p"}, "ports": [{"port": 80}]}})
    until(lambda: get("virtualmachineinterfaces", "p", "short") and get("loadbalancers", "s", "short"), "a namespace with a pod and a service")
    cp.kubectl("delete", "namespace", "short", "--wait=false")
    until(lambda: not cp.api.find("/api/v1/namespaces/short"), "it can be deleted: nothing is made again in it")
    until(lambda: not get("projects", "short"), "its Project goes")
    until(lambda: not [i for i in get("instanceips") if i["spec"].get("interface", i["spec"].get("loadBalancer", "")).startswith("short/")],
          "and its addresses")
    tap.check("short" not in "".join(line for line in manager.said().splitlines() if "warning" in line or "error" in line),
              "without a word in the log", manager.said())


def events():
    make_pod("lost", "n1", labels={"app": "lost"}, **{"opencontrail.org/network": "nowhere"})

    nowhere = "there is no VirtualNetwork team/nowhere"
    until(lambda: told("lost", nowhere), "an Event on a pod that names a network which is not there")
    until(lambda: told("early", nowhere), "and on one that was there before the manager")
    for name in ("lost", "early"):
        cp.kubectl("delete", "pod", name, "-n", "team", "--grace-period=0", "--force")


with cp:
    set_up()
    CASES = (not_ready, translated, waiting, quiet, observed, introspected, policies, cluster_policies, attachments, examples,
             users_group, isolation, apps, users_network, address_blocks, exhaustion, namespace_network, health, foreign,
             namespace_gone, events)
    tap.run([(f.__name__, f) for f in CASES], only=os.environ.get("CASE"))
    team.end()
tap.done()
