#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Pods as users have them: a real kubelet and containerd start them, contrail-cni attaches them, CoreDNS in
one of them tells the others names. Probes, services, policies, isolation, rolling updates under requests,
and the loss of manager, API server and kubelet meanwhile.
"""

import ipaddress
import json
import os
import signal
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.agents import Agents, container, is_ready
from vrtest.cluster import DEPLOY, POD_NETWORK, Cluster
from vrtest.kube import PATIENCE
from vrtest.kubelet import DNS, Containerd, Kubelet
from vrtest.tap import Tap

tap = Tap("kubelet")
cluster = Cluster(1, scheduler=True, controllers="*")
node, cp = cluster.nodes[1], cluster.cp
# An emulated kubelet may be late with a lease that says it lives.
cp.programs["kube-controller-manager"].argv.append("--node-monitor-grace-period=10m")
CLUSTER_DNS = "10.96.0.10"
NODE_PORT = 30080
HOST_PORT = 8088
RATES = {"kubernetes.io/ingress-bandwidth": "20M", "kubernetes.io/egress-bandwidth": "30M"}
COREFILE = """.:53 {
  errors
  health
  ready
  cache 5
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
}
"""
runtime = kubelet = None
agents = Agents(cp, node.ns)
deployment, service, pods, all_ready, say = agents.deployment, agents.service, agents.pods, agents.all_ready, agents.say


def conflist():
    """The one that is deployed, with this node's socket."""
    with open(f"{DEPLOY}/node.yaml", encoding="utf-8") as file:
        conf = json.loads(next(yaml.safe_load_all(file))["data"]["10-vrouter.conflist"])
    conf["plugins"][0]["socket"] = node.cni_socket
    return conf


def logs():
    return cluster.logs() + kubelet.program.tail(30) + runtime.program.tail(30) + cp.kubectl("get", "pods", "-A", "-o", "wide") + \
        cp.kubectl("get", "events", "-A", "--sort-by=.metadata.creationTimestamp")[-4000:]


def until(cond, what):
    return tap.until(cond, what, PATIENCE, logs, step=0.5)


# ---- objects

def name_server():
    cp.kubectl("apply", "-f", "-", input=yaml.safe_dump_all([
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "coredns", "namespace": "kube-system"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "coredns"}, "rules": [
            {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "coredns"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"},
         "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}]},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system"},
         "data": {"Corefile": COREFILE}}]))
    deployment("kube-system", "dns", 1, [{
        "name": "dns", "image": DNS, "imagePullPolicy": "Never", "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "conf", "mountPath": "/etc/coredns"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 3, "timeoutSeconds": 30}}],
        serviceAccountName="coredns", dnsPolicy="Default",
        securityContext={"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        volumes=[{"name": "conf", "configMap": {"name": "coredns"}}])
    service("kube-system", "dns", "dns", [{"name": "dns", "port": 53, "protocol": "UDP"},
                                         {"name": "dns-tcp", "port": 53, "protocol": "TCP"}], clusterIP=CLUSTER_DNS)


def users_pods():
    """web: two behind a service; client and echo: one each; guest: one of another namespace."""
    # An exec is a process of the runtime and three of the pod's: more often, they alone fill an emulated guest.
    live = {"exec": {"command": ["/agent", "probe", "http://127.0.0.1:8080/live"]},
            "periodSeconds": 15, "timeoutSeconds": 30, "failureThreshold": 2}
    # An API server takes a minute to start in an emulated guest, and a manager half of one to lead: a pod
    # that goes meanwhile has to serve for so long.
    last = {"preStop": {"sleep": {"seconds": 75}}}
    deployment("default", "web", 2, [container(livenessProbe=live, lifecycle=last, env=[{"name": "VERSION", "value": "1"}])],
               terminationGracePeriodSeconds=150)
    service("default", "web", "web", [{"port": 80, "targetPort": 8080, "nodePort": NODE_PORT}], type="NodePort",
            ipFamilyPolicy="PreferDualStack")
    service("default", "web-each", "web", [{"port": 8080}], clusterIP="None", ipFamilyPolicy="PreferDualStack")
    for namespace, name in (("default", "client"), ("default", "echo"), ("guests", "guest")):
        if name == "echo":
            agents.pod(namespace, name, [container(ports=[{"containerPort": 8080, "hostPort": HOST_PORT}])], RATES)
        else:
            agents.pod(namespace, name, [container()])


# ---- what pods are and say

def address(name, namespace="default"):
    return cp.api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")["status"]["podIP"]


def addresses(app):
    return {a["ip"] for p in pods("default", app) if is_ready(p) for a in p["status"]["podIPs"]}


def members(url, asker=None, seconds=60, n=12):
    """Who answers the client (or another asker)."""
    return agents.members(url, asker or address("client"), seconds, n)


def lookup(name):
    return set(say(address("client"), "/lookup", name=name)["answers"])


def probed_again(addr):
    """Two more of the kubelet's probes came to the pod after now."""
    seen = int(say(addr, "/probes"))
    return until(lambda: int(say(addr, "/probes")) >= seen + 2, f"the kubelet's probes reach the pod at {addr}")


def names_of(app):
    return {p["metadata"]["name"] for p in pods("default", app)}


# ---- cases

def set_up():
    global runtime, kubelet  # pylint: disable=global-statement
    cluster.start_control_plane()
    cp.namespace("guests")
    runtime = Containerd(node.ns, conflist())
    runtime.start()
    kubelet = Kubelet(cp, node.ns, "node1", node.addrs, runtime, cluster_dns=[CLUSTER_DNS])
    kubelet.start()
    cluster.start_manager()
    cluster.start_daemons()


def pods_run():
    name_server()
    users_pods()
    until(lambda: all_ready("default", "web", 2), "a deployment's pods become ready")
    until(lambda: all(all_ready(*w) for w in (("default", "client"), ("default", "echo"), ("guests", "guest"))), "single pods, too")
    until(lambda: all_ready("kube-system", "dns"), "the name server is ready: it reached the API server by the service kubernetes")
    for pod in pods():
        ips = [ipaddress.ip_address(a["ip"]) for a in pod["status"]["podIPs"]]
        tap.check(len(ips) == 2 and all(ip in ipaddress.ip_network(n) for ip, n in zip(ips, POD_NETWORK.split(","))),
                  f"{pod['metadata']['labels']['app']} has an address of each family", ips)


def names():
    web = cp.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIPs"]
    tap.equal(lookup("web.default.svc.cluster.local"), set(web), "a service's name is its cluster addresses")
    tap.equal(lookup("web-each"), addresses("web"), "a headless service's short name is its pods' addresses")
    tap.equal(members("http://web/"), names_of("web"), "a pod asks the service by name, and all members serve")
    for ns, title in ((node.ns, "the node"), (cluster.outside, "outside")):
        seen = {say("192.0.2.1", "/", NODE_PORT, ns).split()[0] for _ in range(12)}
        tap.equal(seen, names_of("web"), f"all members serve at the node port, asked from {title}")


def host_port():
    """echo has a port of the node and a rate, by what the runtime passes to contrail-cni."""
    for ns, title in ((node.ns, "the node"), (cluster.outside, "outside")):
        tap.equal(say("192.0.2.1", "/", HOST_PORT, ns).split()[0], "echo", f"a host port serves, asked from {title}")
    tap.equal(members(f"http://192.0.2.1:{HOST_PORT}/", n=1), {"echo"}, "and from a pod")
    out = node.ns.run(["tc", "qdisc", "show"]).stdout
    tap.equal(sorted(line.split("rate ")[1].split()[0] for line in out.splitlines() if " tbf " in line), ["20Mbit", "30Mbit"],
              "and the pod's rates are set, each way")


def probes():
    first, second = sorted(pods("default", "web"), key=lambda p: p["metadata"]["name"])
    addr, name, other = first["status"]["podIP"], first["metadata"]["name"], second["metadata"]["name"]
    say(addr, "/fail", what="ready")
    until(lambda: members("http://web/") == {other}, "a pod whose readiness probe fails leaves its service")
    until(lambda: second["status"]["podIP"] in lookup("web-each") and addr not in lookup("web-each"), "and its headless service's name")
    say(addr, "/mend", what="ready")
    until(lambda: members("http://web/") == {name, other}, "ready again, it is back")
    say(addr, "/fail", what="live")
    until(lambda: next(p for p in pods("default", "web") if p["metadata"]["name"] == name)["status"]["containerStatuses"][0]["restartCount"] == 1,
          "a container whose liveness probe (exec) fails is started again")
    until(lambda: all_ready("default", "web", 2) and members("http://web/") == {name, other}, "and serves again, its pod the same")
    tap.equal(address(name), addr, "at the same address")


def policies():
    cp.api.post("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "closed"},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}})
    until(lambda: not members("http://web/", seconds=5, n=1), "a policy closes web to all")
    for addr in addresses("web"):
        if ":" not in addr:
            probed_again(addr)
    tap.check(all_ready("default", "web", 2), "closed pods stay ready")
    cp.api.delete("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/closed")
    until(lambda: members("http://web/") == names_of("web"), "without the policy they serve")


def isolate(value):
    cp.api.patch("/api/v1/namespaces/default", {"metadata": {"annotations": {"opencontrail.org/isolation": value}}})


def isolation():
    echo, guest = address("echo"), address("guest", "guests")
    tap.equal(members(f"http://{echo}:8080/", asker=guest, n=1), {"echo"}, "a pod of another namespace is served")
    isolate("true")
    until(lambda: not members(f"http://{echo}:8080/", asker=guest, seconds=5, n=1), "by an isolated namespace it is not")
    tap.equal(members("http://web.default.svc.cluster.local/"), names_of("web"), "an isolated pod gets names and its own services")
    probed_again(echo)
    isolate(None)
    until(lambda: members(f"http://{echo}:8080/", asker=guest, seconds=5, n=1) == {"echo"}, "no longer isolated, it serves")


def update(version):
    cp.api.patch("/apis/apps/v1/namespaces/default/deployments/web", {"spec": {"template": {"spec": {"containers": [
        {"name": "agent", "env": [{"name": "VERSION", "value": version}]}]}}}}, "application/strategic-merge-patch+json")


def versions():
    """Of the pods that are there, those that end included."""
    return sorted(p["spec"]["containers"][0]["env"][0]["value"] for p in pods("default", "web"))


def updated(version):
    return versions() == [version] * 2 and all_ready("default", "web", 2)


def rolling_update():
    client = address("client")
    say(client, "/stream", url="http://web/")
    update("2")
    until(lambda: updated("2"), "a rolling update comes to its end")
    result = say(client, "/stream", stop=1)
    tap.equal(result["errors"], [], f"of {sum(result['answers'].values())} requests meanwhile none failed")
    tap.equal({a.split()[1] for a in result["answers"]}, {"1", "2"}, "old and new pods answered them")
    tap.equal(members("http://web/"), names_of("web"), "now the new ones do")


def faults():
    """Manager and API server go in the middle of an update, which ends when they are back."""
    client, echo = address("client"), address("echo")
    say(client, "/hold", addr=f"{echo}:8200")
    say(client, "/stream", url="http://web/")
    update("3")
    until(lambda: versions() == ["2", "2", "3"], "an update has begun")
    cluster.kill_manager()
    cp.kill("kube-apiserver")
    say(client, "/hold")
    tap.check(True, "manager and API server killed: an established connection lives")
    # as the kubelet would, which waits for no API server
    cluster.start_manager()
    cp.start_apiserver()
    say(client, "/hold")
    until(lambda: updated("3"), "the update goes on and ends when they are back")
    say(client, "/hold")
    tap.check(True, "the connection still lives")
    result = say(client, "/stream", stop=1)
    tap.equal(result["errors"], [], f"of {sum(result['answers'].values())} requests meanwhile none failed")
    tap.equal(members("http://web/"), names_of("web"), "the new pods serve")


def kubelet_restart():
    def ids():
        return {p["metadata"]["uid"]: p["status"]["containerStatuses"][0]["containerID"] for p in pods()}
    client, before = address("client"), ids()
    kubelet.stop()
    say(client, "/hold")
    tap.equal(members("http://web/"), names_of("web"), "without a kubelet pods serve")
    kubelet.start()
    probed_again(client)
    tap.equal(ids(), before, "the kubelet started again: the same containers run")
    say(client, "/hold")
    tap.check(True, "a connection of before lives")


def interfaces():
    """The node's own: of pods, and its namespaces of pods."""
    links = {link["ifname"] for link in json.loads(node.ns.run(["ip", "-j", "link"]).stdout)}
    return links, [n for n in os.listdir("/run/netns") if n.startswith("cni-")]


def all_gone():
    before, _ = interfaces()
    tap.equal(len(before), bare + 7, "six pods have an interface each on the node, and one a device for its rate")
    for namespace in ("default", "kube-system"):
        cp.kubectl("delete", "--all", "deployments", "-n", namespace)
    cp.kubectl("delete", "--all", "pods", "-n", "default", "--wait=false")
    cp.kubectl("delete", "--all", "pods", "-n", "guests", "--wait=false")
    until(lambda: not any(pods(n) for n in ("default", "guests", "kube-system")), "pods that are deleted go")
    until(lambda: len(interfaces()[0]) == bare and not interfaces()[1], "with their interfaces and namespaces")
    until(lambda: not runtime.containers(), "and their containers")
    until(lambda: not [i for i in cp.api.get("/apis/opencontrail.org/v1/instanceips")["items"] if "interface" in i["spec"]],
          "and their addresses are free")


set_up()
bare = len(interfaces()[0])
CASES = (pods_run, names, host_port, probes, policies, isolation, rolling_update, faults, kubelet_restart, all_gone)
only = os.environ.get("CASE")
tap.run([(f.__name__, f) for f in CASES if not only or f in (pods_run, all_gone) or only in f.__name__])
if tap.failed:
    tap.say(logs())
kubelet.stop(signal.SIGKILL)
runtime.close()
cluster.stop()
tap.done()
