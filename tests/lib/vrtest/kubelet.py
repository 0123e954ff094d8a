# SPDX-License-Identifier: GPL-2.0-only
"""A real kubelet on containerd and runc, for one run, in a guest.

    runtime = Containerd(node.ns, conflist)
    runtime.start()
    kubelet = Kubelet(cp, node.ns, "node1", ["192.0.2.1", "2001:db8::1"], runtime)
    kubelet.start()                      # the node is registered and ready

Both run in the network namespace that is the node. What they keep is in folders of their own,
on a file system in memory, for the guest's root has none that overlays can be laid on.

Nodes of a cluster of several have files of their own, too, into which their pods put what concerns one node alone:

    runtime = Containerd(node.ns, own="node1")    # without a network until a pod installs one
    kubelet = Kubelet(cp, node.ns, "node1", addrs, runtime)
    kubelet.start(network=False)
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile

from .kube import PATIENCE, Program, kube_folder
from .kube_api import free_port
from .netns import run
from .node import BUILD, SRC

PAUSE = "vrouter.test/pause:1"
AGENT = "vrouter.test/agent:1"
DNS = "vrouter.test/dns:1"
PLUGINS = "/usr/lib/cni"    # of the distribution: containerd attaches the loopback with one

CONTAINERD = """
version = 2
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
	"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
	"io.containerd.internal.v1.opt"]
[grpc]
  address = "{dir}/containerd.sock"
[ttrpc]
  address = "{dir}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{bin}"
    conf_dir = "{conf}"
"""


def images():
    """The archive of the images; an error when it is not made."""
    res = run([f"{SRC}/tests/lib/kube-images.sh", "-n"], check=False)
    path = os.environ.get("VROUTER_IMAGES") or res.stdout.strip()
    if not os.path.exists(path):
        raise AssertionError(f"no images in {path}: run tests/lib/kube-images.sh")
    return path


def _keep(program):
    """In a guest's run the log stays."""
    folder, suite = os.environ.get("VROUTER_RUN"), os.path.basename(sys.argv[0])
    if folder and os.path.exists(program.log):
        shutil.copy(program.log, f"{folder}/{suite}-{program.name}.log")


class Files:
    """A node's own files: a mount namespace in which some places of the machine are the node's alone. The rest is what the
    machine has now; what a program in it mounts is passed on to the node's containers, and to nobody else."""

    OWN = "/run/vrouter /run/netns /opt/cni /etc/cni"
    SET_UP = """
mount --make-rshared /
for place in $OWN; do
	mkdir -p "$place"
	mount -t tmpfs -o mode=755 "$NAME" "$place"
done
mkdir /opt/cni/bin
ln -s "$LOOPBACK" /opt/cni/bin/
[ -z "$MODULES" ] || mount -t overlay -o "ro,lowerdir=$MODULES:/lib/modules/$(uname -r)" "$NAME" "/lib/modules/$(uname -r)"
"""

    def __init__(self, name, kept, modules=None):
        """kept: a path for what keeps the namespace, on a mount that is passed on to none. modules: a folder to
        be laid over the kernel's own modules."""
        self.name, self._kept = name, kept
        with open(kept, "w", encoding="ascii"):
            pass
        run(["unshare", f"--mount={kept}", "sh", "-euc", self.SET_UP],
            env={**os.environ, "OWN": self.OWN, "NAME": name, "MODULES": modules or "", "LOOPBACK": f"{PLUGINS}/loopback"})

    def argv(self, *argv):
        """The command, in the node's files."""
        return ["nsenter", f"--mount={self._kept}", "--", *argv]

    def list(self, place):
        return run(self.argv("ls", place)).stdout.split()


class Containerd:
    """The runtime, with the images in it, and contrail-cni as the network of its pods."""

    def __init__(self, netns, conflist=None, own=None, modules=None, more_images=()):
        """conflist: the CNI configuration, an object. own: instead, the name of a node that has files of its own, with
        these modules; its administrator or a pod puts plugin and configuration there. more_images: more archives."""
        self.netns = netns
        self.archives = (images(), *more_images)
        self.dir = tempfile.mkdtemp(prefix="vr-cri-")
        run(["mount", "-t", "tmpfs", "-o", "mode=711", "vr-cri", self.dir])
        run(["mount", "--make-private", self.dir])
        atexit.register(self.close)
        self.files = Files(own, f"{self.dir}/files", modules) if own else None
        if own:
            places = {"bin": "/opt/cni/bin", "conf": "/etc/cni/net.d"}
        else:
            places = {"bin": f"{self.dir}/bin", "conf": f"{self.dir}/net.d"}
            self._set_up_network(conflist, **places)
        with open(f"{self.dir}/config.toml", "w", encoding="utf-8") as out:
            out.write(CONTAINERD.format(dir=self.dir, pause=PAUSE, **places))
        self.socket = f"{self.dir}/containerd.sock"
        self.program = Program(self.title("containerd"), self.argv("containerd", "--config", f"{self.dir}/config.toml"),
                               self.dir, netns)

    @staticmethod
    def _set_up_network(conflist, bin, conf):  # pylint: disable=redefined-builtin
        for place in (bin, conf):
            os.mkdir(place)
        os.symlink(os.path.abspath(f"{BUILD}/contrail-cni"), f"{bin}/contrail-cni")
        os.symlink(f"{PLUGINS}/loopback", f"{bin}/loopback")
        with open(f"{conf}/10-vrouter.conflist", "w", encoding="utf-8") as out:
            json.dump(conflist, out)

    def argv(self, *argv):
        """The command, in the node's files if it has its own."""
        return self.files.argv(*argv) if self.files else list(argv)

    def title(self, program):
        """Nodes with files of their own are several."""
        return f"{program}-{self.files.name}" if self.files else program

    def start(self):
        """Returns when it answers and has the images."""
        self.program.start()
        self.program.wait_ready(lambda: os.path.exists(self.socket) and
                                run(self._ctr("version"), check=False).returncode == 0)
        for archive in self.archives:
            run(self.argv(*self._ctr("images", "import", archive)), timeout=PATIENCE)

    def _ctr(self, *args):
        return ["ctr", "--address", self.socket, "--namespace", "k8s.io", *args]

    def containers(self):
        """The identifiers of all containers and sandboxes, those that ended, too."""
        return run(self._ctr("containers", "list", "--quiet")).stdout.split()

    def close(self):
        """Kills what still runs: the runtime's end alone would not stop a container."""
        if not os.path.ismount(self.dir):
            return
        if self.program.alive():
            for name in run(self._ctr("tasks", "list", "--quiet"), check=False).stdout.split():
                run(self._ctr("tasks", "delete", "--force", name), check=False)
        self.program.stop(signal.SIGKILL)
        _keep(self.program)
        for mount in reversed(mounts(self.dir)):
            run(["umount", "--lazy", mount], check=False)
        with contextlib.suppress(OSError):
            os.rmdir(self.dir)


def _cgroup(group):
    """Makes it if need be, with the controllers that a kubelet wants."""
    if group != "/":
        with open("/sys/fs/cgroup/cgroup.subtree_control", "w", encoding="ascii") as out:
            out.write("+cpu +cpuset +memory +pids +hugetlb")
        os.makedirs(f"/sys/fs/cgroup{group}", exist_ok=True)
    return group


def mounts(folder):
    """What is mounted on the folder and below it, in the order in which it was."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        places = [line.split()[1] for line in file]
    return [p for p in places if p == folder or p.startswith(f"{folder}/")]


class Kubelet:
    """The agent of one node, as an administrator configures it on a node without kube-proxy."""

    def __init__(self, cp, netns, name, addrs, runtime, cluster_dns=(), config=None):
        """addrs: of the node. config: more of its KubeletConfiguration."""
        self.cp, self.netns, self.name = cp, netns, name
        self.dir = f"{runtime.dir}/kubelet"
        # one that found pods of another node's kubelet beside its own would end them
        group = f"/{runtime.files.name}" if runtime.files else "/"
        os.mkdir(self.dir)
        resolv = f"{self.dir}/resolv.conf"
        with open(resolv, "w", encoding="utf-8") as out:
            out.write("nameserver 192.0.2.254\n")
        cert, key = cp.tls.server(f"kubelet-{name}", [name, *addrs])
        conf = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{runtime.socket}",
            "authentication": {"x509": {"clientCAFile": cp.tls.ca}},
            "tlsCertFile": cert, "tlsPrivateKeyFile": key, "healthzPort": free_port(netns),
            "cgroupDriver": "cgroupfs", "cgroupRoot": _cgroup(group), "failSwapOn": False, "makeIPTablesUtilChains": False,
            "localStorageCapacityIsolation": False, "podLogsDir": f"{self.dir}/logs",
            "volumePluginDir": f"{self.dir}/plugins", "resolvConf": resolv,
            "clusterDomain": "cluster.local", "clusterDNS": list(cluster_dns),
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%",
                             "nodefs.inodesFree": "0%", "imagefs.available": "0%",
                             "imagefs.inodesFree": "0%"},
            "imageGCHighThresholdPercent": 100, "enforceNodeAllocatable": [],
            "serializeImagePulls": False, **(config or {})}
        self._healthz = f"http://127.0.0.1:{conf['healthzPort']}/healthz"
        with open(f"{self.dir}/config.json", "w", encoding="utf-8") as out:
            json.dump(conf, out)
        rights = cp.kubeconfig(f"system:node:{name}", ["system:nodes"])
        self.program = Program(runtime.title("kubelet"), runtime.argv(
            f"{kube_folder()}/kubelet", f"--config={self.dir}/config.json",
            f"--kubeconfig={rights}", f"--hostname-override={name}",
            f"--node-ip={','.join(addrs)}", f"--root-dir={self.dir}/root",
            f"--cert-dir={self.dir}/tls", "--v=2"), self.dir, netns)
        atexit.register(self.stop, signal.SIGKILL)

    def start(self, network=True):
        """Returns when the node says that it is ready; without a network, that it is not for this."""
        self.program.start()
        self.program.wait_ready(self.ready if network else self.waits_for_network)

    def _condition(self):
        """Ready, by what it told the API server since it runs, not by what an earlier one did."""
        if self.netns.run(["curl", "-sSf", "-m", "30", self._healthz], check=False).returncode:
            return {}
        node = self.cp.api.find(f"/api/v1/nodes/{self.name}") or {"status": {}}
        return next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), {})

    def ready(self):
        return self._condition().get("status") == "True"

    def waits_for_network(self):
        condition = self._condition()
        return condition.get("status") == "False" and "cni plugin not initialized" in condition["message"]

    def stop(self, sig=signal.SIGTERM):
        """Its pods go on."""
        self.program.stop(sig)
        if os.path.exists(self.program.log):
            _keep(self.program)


__all__ = ["AGENT", "DNS", "PAUSE", "Containerd", "Kubelet"]
