#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The deployment as an administrator applies it: userspace/deploy/kubernetes on two nodes with real kubelets, in the image
that its Containerfile makes. The DaemonSet loads the module and installs the CNI plugin; then pods are attached, served and
closed off, and the deployment is updated and loses its leader under requests.
"""

import concurrent.futures
import glob
import ipaddress
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.agents import Agents, container, is_ready
from vrtest.cluster import DEPLOY, POD_NETWORK, SERVICE_NETWORK, Cluster
from vrtest.kube import PATIENCE
from vrtest.kubelet import Containerd, Kubelet
from vrtest.node import module_loaded
from vrtest.tap import Tap

tap = Tap("deploy")
cluster = Cluster(2, module=False, scheduler=True, controllers="*")
nodes, cp = {node.name: node for node in cluster.nodes.values()}, cluster.cp
# An emulated kubelet may be late with a lease that says it lives.
cp.programs["kube-controller-manager"].argv.append("--node-monitor-grace-period=10m")
agents = Agents(cp, cluster.outside)
kubelets, runtimes = {}, {}
SYSTEM = "kube-system"
# What the README has an administrator set.
SETTINGS = {
    "manager.yaml": (("https://192.0.2.10:6443", cp.url), ("--pod-network=10.32.0.0/12", f"--pod-network={POD_NETWORK}"),
                     ("--service-network=10.96.0.0/12", f"--service-network={SERVICE_NETWORK}")),
    "node.yaml": (("https://192.0.2.10:6443", cp.url),),
}
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/contrail-kube-manager"


def said(name):
    """What the pods of that name logged, by pod: the kubelets' files, those of ended containers included."""
    found = {}
    for kubelet in kubelets.values():
        for path in sorted(glob.glob(f"{kubelet.dir}/logs/{SYSTEM}_{name}-*/*/*.log")):
            with open(path, encoding="utf-8", errors="replace") as file:
                # "DATE STREAM F text"
                lines = [line.split(" ", 3)[3].rstrip("\n") for line in file if line.count(" ") >= 3]
            found.setdefault(path.split("/")[-3].split("_")[1], []).extend(lines)
    return found


def logs():
    text = "".join(f"---- {pod}\n" + "\n".join(lines[-15:]) + "\n" for name in ("contrail-kube-manager", "vrouterd")
                   for pod, lines in said(name).items())
    programs = "".join(p.program.tail(15) for p in (*kubelets.values(), *runtimes.values()))
    return programs + text + cp.kubectl("get", "pods", "-A", "-o", "wide") + \
        cp.kubectl("get", "events", "-A", "--sort-by=.metadata.creationTimestamp")[-4000:]


def until(cond, what):
    return tap.until(cond, what, PATIENCE, logs, step=0.5)


def apply(name):
    with open(f"{DEPLOY}/{name}", encoding="utf-8") as file:
        text = file.read()
    for what, value in SETTINGS.get(name, ()):
        assert what in text, f"{what} is not in {name}"
        text = text.replace(what, value)
    cp.kubectl("apply", "-f", "-", input=text)


def rolled_out(what):
    res = cp.kubectl("rollout", "status", what, "-n", SYSTEM, f"--timeout={PATIENCE}s", check=False, timeout=PATIENCE + 60)
    tap.check(res.returncode == 0, f"kubectl rollout status {what}", f"{res.stdout}{res.stderr}{logs()}")


def system_pods(name):
    return agents.pods(SYSTEM, name, label="app.kubernetes.io/name")


def leader():
    return cp.api.get(LEASE)["spec"].get("holderIdentity")


def leading():
    """The nodes whose manager says that it leads."""
    return [name for name, node in nodes.items() if "\nvrouter_manager_leader 1" in
            node.ns.run(["curl", "-sS", "-m", "30", "http://localhost:8095/metrics"], check=False).stdout]


def web():
    """The ready pods of web by node: addresses, IPv4 first."""
    return {p["spec"]["nodeName"]: [a["ip"] for a in p["status"]["podIPs"]] for p in agents.pods("default", "web") if is_ready(p)}


def at(addr):
    return f"[{addr}]" if ":" in addr else addr


def say(pod, path, **query):
    """A pod's agent, asked by its own node."""
    where = next(name for name, addrs in web().items() if pod in addrs)
    return agents.say(pod, path, ns=nodes[where].ns, **query)


# ---- cases

def start_node(name):
    runtimes[name].start()
    tap.say(f"{name}: the runtime has its images")
    kubelets[name].start(network=False)


def set_up():
    cluster.start_control_plane()
    cp.kubectl("apply", "-f", f"{DEPLOY}/own-status.yaml")
    tap.say("the control plane runs")
    for name, node in nodes.items():
        runtimes[name] = Containerd(node.ns, own=name, modules=os.environ["VROUTER_MODULES"],
                                    more_images=[os.environ["VROUTER_IMAGE"]])
        kubelets[name] = Kubelet(cp, node.ns, name, node.addrs, runtimes[name])
    # beside each other, for most of it is unpacking
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(start_node, nodes))


def install():
    for name, kubelet in kubelets.items():
        until(kubelet.waits_for_network, f"{name} is not ready, for want of a network")
        tap.equal(runtimes[name].files.list("/etc/cni/net.d"), [], "and has no CNI configuration")
    tap.check(not module_loaded(), "the module is not loaded")
    apply("manager.yaml")
    rolled_out("deployment/contrail-kube-manager")
    tap.check(not any(kubelet.ready() for kubelet in kubelets.values()), "managers run on nodes without a network")
    apply("node.yaml")
    rolled_out("daemonset/vrouterd")
    for name, kubelet in kubelets.items():
        until(kubelet.ready, f"{name} is ready")
        tap.equal((runtimes[name].files.list("/etc/cni/net.d"), "contrail-cni" in runtimes[name].files.list("/opt/cni/bin")),
                  (["10-vrouter.conflist"], True), "by the plugin and the configuration that are installed")
    tap.check(module_loaded(), "the module is loaded")


def managers():
    pods = system_pods("contrail-kube-manager")
    tap.equal(sorted(p["spec"]["nodeName"] for p in pods if is_ready(p)), sorted(nodes), "two managers are ready, one on each node")
    until(lambda: leader() in {p["metadata"]["name"] for p in pods}, "the Lease names one of them")
    where = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in pods}
    tap.equal(leading(), [where[leader()]], "and this one alone says that it leads")
    out = cp.kubectl("get", "vn,vmi,iip,lb,lbpool,sg,lr", "-A")
    tap.check("loadbalancer.opencontrail.org/kubernetes" in out, "kubectl shows what it makes of the cluster", out)


def pods_run():
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}]}}
    agents.deployment("default", "web", 2, [container()], affinity=apart, terminationGracePeriodSeconds=5)
    agents.service("default", "web", "web", [{"port": 80, "targetPort": 8080}], ipFamilyPolicy="RequireDualStack")
    until(lambda: agents.all_ready("default", "web", 2) and len(web()) == 2, "a deployment's pods are ready, one on each node")
    networks = [ipaddress.ip_network(n) for n in POD_NETWORK.split(",")]
    for addrs in web().values():
        tap.check(all(ipaddress.ip_address(a) in n for a, n in zip(addrs, networks, strict=True)), "with an address of each family", addrs)


def traffic():
    one, two = web()["node1"], web()["node2"]
    cluster_ips = cp.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIPs"]
    names = {p["metadata"]["name"] for p in agents.pods("default", "web")}
    for family, vip in enumerate(cluster_ips):
        version = "IPv6" if family else "IPv4"
        for asker, other in ((one, two), (two, one)):
            result = say(asker[0], "/ask", url=f"http://{at(other[family])}:8080/")
            tap.equal(result["errors"], [], f"a pod reaches the one of the other node by {version}")
            until(lambda a=asker, v=vip: {x.split()[0] for x in say(a[0], "/ask", url=f"http://{at(v)}/", n=12)["answers"]} == names,
                  f"and both by the service's address of {version}")


def policy():
    """examples/isolated-namespace.yaml opens its shop to the namespace frontend."""
    apply("examples/isolated-namespace.yaml")
    for namespace in ("frontend", "example-shop"):
        if namespace != "example-shop":
            cp.namespace(namespace)
        cp.wait_for_account(namespace)
    agents.pod("example-shop", "shop", [container()], nodeName="node1")
    agents.pod("frontend", "buyer", [container()], nodeName="node2")
    until(lambda: agents.all_ready("example-shop", "shop") and agents.all_ready("frontend", "buyer"), "pods of the example are ready")
    shop, buyer = (agents.pods(n)[0]["status"]["podIP"] for n in ("example-shop", "frontend"))
    stranger = web()["node2"][0]

    def served(asker):
        return not agents.say(asker, "/ask", ns=nodes["node2"].ns, url=f"http://{shop}:8080/", seconds=5)["errors"]
    until(lambda: served(buyer), "the policy opens the shop to its customers")
    tap.check(not served(stranger), "and to nobody else")


def leader_goes():
    old = leader()
    begin = time.monotonic()
    cp.api.delete(f"/api/v1/namespaces/{SYSTEM}/pods/{old}", grace=0)
    until(lambda: leader() not in (old, "", None), "the leader's pod is deleted: another one leads")
    # told only: API server and managers are emulated beside whatever else the machine does
    tap.say(f"the next one led after {time.monotonic() - begin:.1f} s")
    agents.pod("default", "late", [container()])
    until(lambda: agents.all_ready("default", "late"), "a new pod gets its address and is ready")
    rolled_out("deployment/contrail-kube-manager")
    until(lambda: len(leading()) == 1, "one leads")


def daemons_restart():
    """Connections of before and new ones go on while all vrouterds are replaced."""
    client, server = web()["node1"][0], web()["node2"][0]
    vip = cp.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIP"]
    before = {p["metadata"]["uid"] for p in system_pods("vrouterd")}
    say(client, "/hold", addr=f"{server}:8200")
    say(client, "/stream", url=f"http://{vip}/")
    cp.kubectl("rollout", "restart", "daemonset/vrouterd", "-n", SYSTEM)
    rolled_out("daemonset/vrouterd")
    now = system_pods("vrouterd")
    tap.check(len(now) == 2 and not before & {p["metadata"]["uid"] for p in now}, "vrouterd is another one on each node")
    say(client, "/hold")
    tap.check(True, "a connection between the nodes lives")
    result = say(client, "/stream", stop=1)
    tap.equal(result["errors"], [], f"of {sum(result['answers'].values())} requests meanwhile none failed")
    tap.equal(len(result["answers"]), 2, "and both pods answered")
    agents.pod("default", "later", [container()], nodeName="node2")
    until(lambda: agents.all_ready("default", "later"), "a new pod is attached by the new one")
    had_rights("vrouterd")


def had_rights(name):
    """What the manifests leave to the program is enough: nothing was refused to it, and it did not end for it."""
    found = said(name)
    bad = [line for lines in found.values() for line in lines if re.search(r": error: |denied|not permitted|Read-only|orbidden", line)]
    tap.check(len(found) >= 2 and not bad, f"{name} had what it needs", bad or found)
    tap.equal([s["restartCount"] for p in system_pods(name) for s in p["status"]["containerStatuses"]], [0, 0], "and ran all the time")


def rights():
    had_rights("contrail-kube-manager")
    had_rights("vrouterd")


set_up()
CASES = (install, managers, pods_run, traffic, policy, rights, leader_goes, daemons_restart)
only = os.environ.get("CASE")
tap.run([(f.__name__, f) for f in CASES if not only or f in (install, pods_run) or only in f.__name__])
if tap.failed:
    tap.say(logs())
for kubelet in kubelets.values():
    kubelet.stop(signal.SIGKILL)
for runtime in runtimes.values():
    runtime.close()
cluster.stop()
tap.done()
