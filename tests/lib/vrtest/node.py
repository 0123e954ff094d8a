# SPDX-License-Identifier: GPL-2.0-only
"""A compute node as an operator has it: module, manager, daemon, CNI plugin.

    node = Node()
    node.apply("pods.json", objects)     # manifests
    pod = node.pod("default", "web-0")   # a namespace attached through contrail-cni
    node.sync()                          # what was applied is in the kernel
"""

import atexit
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import tempfile

from .netns import Netns, run
from .tap import wait_for

BUILD = os.environ.get("VROUTER_BUILD", "build")
SRC = os.environ.get("VROUTER_SRC", ".")
# How many times longer than on a machine of its own something may take: bounds, no waits.
SLOW = 10 if os.environ.get("VROUTER_KERNEL", "").startswith("um") else 2


def module_loaded():
    return os.path.isdir("/sys/module/vrouter")


def load_module():
    if module_loaded():
        return
    path = os.environ["VROUTER_KO"]
    for dep in run(["modinfo", "-F", "depends", path]).stdout.strip().split(","):
        if dep:
            run(["modprobe", dep])
    run(["insmod", path])


def unload_module():
    if module_loaded():
        run(["rmmod", "vrouter"])


class VrctlError(Exception):
    """vrctl refused; str() is what it printed."""


def vrctl(*args, netns=None, stdin=None):
    """Runs vrctl and returns its JSON (or None when it printed nothing)."""
    argv = [f"{BUILD}/vrctl", "-j", *map(str, args)]
    if netns:
        with netns:
            res = run(argv, check=False, stdin=stdin)
    else:
        res = run(argv, check=False, stdin=stdin)
    if res.returncode:
        raise VrctlError(res.stderr.strip() or f"exit status {res.returncode}")
    return json.loads(res.stdout) if res.stdout.strip() else None


class Pod:
    """A network namespace that the CNI plugin attached."""

    def __init__(self, node, namespace, name):
        self.node, self.namespace, self.short = node, namespace, name
        self.name = f"{namespace}/{name}"
        self.ns = Netns(f"p-{namespace}-{name}")
        self.result = None

    def cni(self, verb, plugin="contrail-cni", path=BUILD, env=None, **conf):
        """One call as a runtime makes it; conf: more of the configuration."""
        env = {**os.environ, "CNI_COMMAND": verb, "CNI_CONTAINERID": f"c-{self.namespace}-{self.short}",
               "CNI_NETNS": self.ns.path, "CNI_IFNAME": "eth0", "CNI_PATH": path,
               "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE={self.namespace};K8S_POD_NAME={self.short}",
               **(env or {})}
        with self.node.ns:
            return run([f"{path}/{plugin}"], check=False, env=env,
                       stdin=json.dumps(self.node.cni_conf(**conf)), timeout=60 * SLOW)

    def attach(self, **conf):
        res = self.cni("ADD", **conf)
        if res.returncode:
            raise AssertionError(f"CNI ADD for {self.name}: {res.stdout}{res.stderr}"
                                 f"\n{self.node.logs()}")
        self.result = json.loads(res.stdout)
        self.addresses = [ip["address"].split("/")[0] for ip in self.result["ips"]]
        self.v4 = next((a for a in self.addresses if ":" not in a), None)
        self.v6 = next((a for a in self.addresses if ":" in a), None)
        return self

    def is_up(self):
        host = self.result["interfaces"][0]["name"]
        return "LOWER_UP" in self.node.ns.run(["ip", "link", "show", host], check=False).stdout

    def addr(self, family):
        return self.v6 if family == 6 else self.v4

    def detach(self):
        return self.cni("DEL")

    def delete(self):
        self.detach()
        self.ns.delete()


class Node:
    """One node in a network namespace of its own."""

    def __init__(self, name="node1", pod_network="10.32.0.0/12,fd00:32::/64",
                 service_network="10.96.0.0/12,fd00:96::/112", first=None, addrs=(), args=(), manager_args=(), module=True):
        """first: another node, whose manager and manifests this one shares. addrs: of the
        underlay. args: more options of vrouterd, manager_args: of the manager. module: it is
        loaded here."""
        if module:
            load_module()
        self.name, self.args, self.manager_args = name, args, manager_args
        self.dir = tempfile.mkdtemp(prefix=f"vr-{name}-")
        self.manifests = first.manifests if first else f"{self.dir}/manifests"
        self.feed = first.feed if first else f"{self.dir}/feed.sock"
        if not first:
            os.mkdir(self.manifests)
        self.daemon_feed = f"unix:{self.feed}"
        self.cni_socket = f"{self.dir}/cni.sock"
        self.networks = (pod_network, service_network)
        self.ns = Netns(name)
        self.pods = {}
        self.cluster = None     # vrtest.cluster: objects go to its API server
        self.manager = self.daemon = None
        self._marks = first or self
        self.marks = 0
        atexit.register(self.stop)
        self.apply(f"00-{name}", [node_manifest(name, addrs)])

    # --- programs ---------------------------------------------------------

    def _spawn(self, log, argv):
        with open(f"{self.dir}/{log}", "a", encoding="utf-8") as out:
            return self.ns.popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def start_manager(self):
        self.manager = self._spawn("manager.log", [
            f"{BUILD}/contrail-kube-manager", "--manifests", self.manifests,
            "--listen", f"unix:{self.feed}", "--pod-network", self.networks[0],
            "--service-network", self.networks[1], *self.manager_args])

    def start_daemon(self, feed=None):
        """feed: another one than the manager's socket; also from then on."""
        self.daemon_feed = feed or self.daemon_feed
        self.daemon = self._spawn("vrouterd.log", [
            f"{BUILD}/vrouterd", "--node", self.name, "--feed", self.daemon_feed,
            "--cni-socket", self.cni_socket, "--state-dir", f"{self.dir}/state", *self.args])
        wait_for(lambda: os.path.exists(self.cni_socket) or self.daemon.poll() is not None,
                 "vrouterd's CNI socket", 30 * SLOW)

    def start(self):
        self.start_manager()
        self.start_daemon()
        return self

    def kill_daemon(self, sig=signal.SIGKILL):
        self.daemon.send_signal(sig)
        self.daemon.wait()
        if os.path.exists(self.cni_socket):
            os.unlink(self.cni_socket)

    def kill_manager(self, sig=signal.SIGKILL):
        self.manager.send_signal(sig)
        self.manager.wait()

    def logs(self):
        text = ""
        for log in ("manager.log", "vrouterd.log"):
            path = f"{self.dir}/{log}"
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f"--- {log}\n" + f.read()[-4000:]
        return text

    def stop(self):
        for proc in (self.daemon, self.manager):
            if proc and proc.poll() is None:
                proc.kill()
                proc.wait()
        for pod in list(self.pods.values()):
            pod.ns.delete()
        self.pods.clear()
        self.ns.delete()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.stop = lambda: None

    # --- manifests --------------------------------------------------------

    def apply(self, name, objects):
        """Writes a manifest file as kubectl users' tools do: aside, then renamed."""
        if self.cluster:
            self.cluster.objects.apply(name, objects)
            return
        path = f"{self.manifests}/{name}.json"
        with open(path + ".tmp", "w", encoding="utf-8") as f:
            json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, f)
        os.rename(path + ".tmp", path)

    def delete(self, name):
        if self.cluster:
            self.cluster.objects.delete(name)
            return
        os.unlink(f"{self.manifests}/{name}.json")

    def sync(self, seconds=30):
        """Waits until everything applied before is in the kernel: a marker service
        applied after it has become a vip. A batch of changes reaches the feed with
        services last, so the marker's vip comes after all that it follows."""
        if self.cluster:
            self.cluster.objects.sync([self])
            return
        self._marks.marks += 1
        name = f"mark-{self._marks.marks}"
        label = f"vr-sync/{name}"
        self.apply("zz-mark", [service("vr-sync", name, [(1, 1, "TCP")], None)])
        wait_for(lambda: any(v.get("label", "").startswith(label + ":") or
                             v.get("label", "") == label for v in self.vrctl("vip", "show")),
                 f"{label} in the kernel\n{self.logs()}", seconds * SLOW, step=0.03 * SLOW)

    # --- pods ---------------------------------------------------------------

    def cni_conf(self, **more):
        return {"cniVersion": "1.0.0", "name": "vrouter", "type": "contrail-cni",
                "socket": self.cni_socket, **more}

    def pod(self, namespace, name, **conf):
        pod = Pod(self, namespace, name).attach(**conf)
        self.pods[pod.name] = pod
        if self.cluster:
            self.cluster.pod_runs(pod)
        return pod

    # --- looking ------------------------------------------------------------

    def vrctl(self, *args, **kw):
        return vrctl(*args, netns=self.ns, **kw) or []

    def drops(self, *reasons):
        """Packets dropped so far for these reasons."""
        return sum(d["packets"] for d in self.vrctl("drops", "show") if d["reason"] in reasons)

    def _is_cluster_ip(self, addr):
        """Not a node port's or an external one."""
        return any(ipaddress.ip_address(addr) in ipaddress.ip_network(n) for n in self.networks[1].split(","))

    def vip(self, namespace, name, family=4):
        """The service's cluster address."""
        for v in self.vrctl("vip", "show"):
            if v.get("label", "").split(":")[0] == f"{namespace}/{name}" and \
                    (":" in v["addr"]) == (family == 6) and self._is_cluster_ip(v["addr"]):
                return v["addr"]
        raise AssertionError(f"no vip of {namespace}/{name}\n{self.logs()}")


# --- manifests by hand ----------------------------------------------------------

def node_manifest(name, addrs=()):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "status": {"addresses": [{"type": "InternalIP", "address": a} for a in addrs]}}


def pod_manifest(namespace, name, labels=None, ports=(), node="node1", **status):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
            "spec": {"nodeName": node, "containers": [
                {"name": "c", "image": "none",
                 "ports": [{"name": n, "containerPort": p, "protocol": proto}
                           for n, p, proto in ports]}]},
            "status": status}


def service(namespace, name, ports, selector, **spec):
    """ports: (port, targetPort, protocol) or (port, targetPort, protocol, name)."""
    out = []
    for p in ports:
        port, target, proto = p[:3]
        out.append({"port": port, "targetPort": target, "protocol": proto,
                    "name": p[3] if len(p) > 3 else f"{proto.lower()}-{port}"})
    body = {"ports": out, "ipFamilyPolicy": "PreferDualStack", **spec}
    if selector:
        body["selector"] = selector
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace}, "spec": body}


def namespace_manifest(name, labels=None):
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels or {}}}


def policy(namespace, name, selector=None, ingress=None, egress=None, types=None):
    spec = {"podSelector": selector or {}}
    if ingress is not None:
        spec["ingress"] = ingress
    if egress is not None:
        spec["egress"] = egress
    if types:
        spec["policyTypes"] = types
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec}
