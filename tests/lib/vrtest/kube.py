# SPDX-License-Identifier: GPL-2.0-only
"""A real Kubernetes control plane for one run: etcd, kube-apiserver and, if wanted, the
controller manager and the scheduler, as kube-build.sh builds them.

    with ControlPlane(controller_manager=True) as cp:
        cp.kubectl("apply", "-f", "-", input=text)
        cp.api.get("/api/v1/namespaces/default")
        conf = cp.service_account_kubeconfig("kube-system", "manager")

Everything is in a folder of its own and listens on the addresses given (loopback if none),
in the given network namespace or the present one. There are no kubelets: a pod "runs"
because a test says so in its status, and is gone when it is deleted with grace 0.
"""

import atexit
import contextlib
import http.client
import ipaddress
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

from .kube_api import Api, ApiError, Authority, free_port, write_kubeconfig
from .netns import run
from .node import SRC
from .tap import wait_for

# How long a start or a stop may hang before it counts as failed: emulated guests are slow.
PATIENCE = 300

# Without kubelets, no node would ever look alive to it.
CONTROLLERS = "*,-nodelifecycle"    # its name before 1.28, which still is one


def kube_folder():
    """The folder with the programs; an error when they are not built."""
    path = os.environ.get("VROUTER_KUBE")
    if not path:
        res = run([f"{SRC}/tests/lib/kube-build.sh", "-n"], check=False)
        path = res.stdout.strip()
    if not os.path.exists(f"{path}/kube-apiserver"):
        raise AssertionError(f"no Kubernetes in {path}: run tests/lib/kube-build.sh")
    return path


def release_of(folder):
    """Major and minor version of the API server there."""
    text = run([f"{folder}/kube-apiserver", "--version"]).stdout
    return tuple(int(n) for n in text.split(" v")[1].split(".")[:2])


API_SERVER_STARTS = 4


class Ended(AssertionError):
    """A program ended that was to become ready."""


class Program:
    """A server process with its log; each start goes on in the same log."""

    def __init__(self, name, argv, folder, netns):
        self.name, self.argv, self.netns = name, argv, netns
        self.log = f"{folder}/{name}.log"
        self.proc = None

    def start(self):
        assert not self.alive(), f"{self.name} runs already"
        with self.netns or contextlib.nullcontext(), open(self.log, "ab") as log:
            self.proc = subprocess.Popen(  # pylint: disable=consider-using-with
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def wait_ready(self, cond, seconds=PATIENCE):
        """Until cond() is true; an error with the end of the log when the program died."""
        def ready():
            if not self.alive():
                raise Ended(f"{self.name} ended with status {self.proc.returncode}\n{self.tail()}")
            return cond()
        try:
            # each look at a server is a TLS handshake: not more than it has time for
            return wait_for(ready, f"{self.name} to be ready", seconds, step=0.3)
        except Ended:
            raise
        except AssertionError as err:
            raise AssertionError(f"{err}\n{self.tail()}") from None

    def stop(self, sig=signal.SIGTERM):
        if self.proc is None:
            return
        if self.alive():
            self.proc.send_signal(sig)
        try:
            self.proc.wait(PATIENCE)
        finally:
            if self.alive():
                self.proc.kill()
                self.proc.wait()

    def tail(self, lines=40):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return f"---- {self.name}\n" + "".join(log.readlines()[-lines:])

    def peak(self):
        """The most memory it held so far, in MiB (resident); 0 when it does not run."""
        if not self.alive():
            return 0
        with open(f"/proc/{self.proc.pid}/status", encoding="ascii", errors="replace") as file:
            line = next((ln for ln in file if ln.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) // 1024


class ControlPlane:
    """The control plane of one cluster. Attributes: api (an administrator's requests),
    admin (that one's kubeconfig), url, dir, release (such as (1, 37)), started (seconds that the start took)."""

    def __init__(self, netns=None, address="127.0.0.1", port=0, names=(), advertise=None,
                 services="10.96.0.0/16,fd00:96::/108", controller_manager=False,
                 scheduler=False, controllers=CONTROLLERS, args=()):
        """address: of the API server, for clients in `netns` and beyond; it listens on all
        addresses unless this is loopback. port: 0 for any free one. names: more names and
        addresses of its certificate. advertise: the endpoint of the service "kubernetes"
        (none can be loopback). services: its ranges, one of a family. args: more options of
        kube-apiserver."""
        self.netns, self.address, self.services = netns, address, services.split(",")
        self.port = port or free_port(netns)
        self.etcd_port, self._peer_port = free_port(netns), free_port(netns)
        self.dir = tempfile.mkdtemp(prefix="vr-kube-")
        self.programs = {}
        self.started = None
        self._open = True
        atexit.register(self.close)
        loopback = ipaddress.ip_address(address).is_loopback
        self._bind = address if loopback else ("::" if ":" in address else "0.0.0.0")
        self._advertise = advertise or ("192.0.2.254" if loopback else address)
        self.url = f"https://{f'[{address}]' if ':' in address else address}:{self.port}"
        self._bin = kube_folder()
        self.release = release_of(self._bin)
        # a beta since 1.21
        self._gates = ["--feature-gates=IPv6DualStack=true"] if self.release < (1, 21) else []
        self.tls = Authority(f"{self.dir}/tls")
        self._server = self.tls.server("kube-apiserver", self._server_names(names))
        self._accounts = self.tls.key("service-accounts")
        self.admin = self.kubeconfig("admin", ["system:masters"])
        self.api = self.client("admin", ["system:masters"])
        self._define_etcd()
        self._define_apiserver(args)
        if controller_manager:
            self._define_controller_manager(controllers)
        if scheduler:
            self._define_scheduler()

    def _server_names(self, more):
        first = [str(ipaddress.ip_network(s)[1]) for s in self.services]
        names = ["localhost", "127.0.0.1", "::1", self.address, self._advertise, *first,
                 "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                 "kubernetes.default.svc.cluster.local", *more]
        return list(dict.fromkeys(names))

    # ---- what runs

    def _define(self, name, *args):
        self.programs[name] = Program(name, [f"{self._bin}/{name}", *args], self.dir, self.netns)

    def _define_etcd(self):
        peer = f"http://127.0.0.1:{self._peer_port}"
        self._define("etcd", "--name=test", f"--data-dir={self.dir}/etcd",
                     f"--listen-client-urls={self._etcd_url()}",
                     f"--advertise-client-urls={self._etcd_url()}",
                     f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                     f"--initial-cluster=test={peer}",
                     # It outlives its process, and need not outlive the machine.
                     "--unsafe-no-fsync", "--log-level=warn")

    def _define_apiserver(self, args):
        cert, key = self._server
        private, public = self._accounts
        self._define("kube-apiserver", f"--etcd-servers={self._etcd_url()}",
                     f"--bind-address={self._bind}", f"--secure-port={self.port}",
                     f"--advertise-address={self._advertise}",
                     f"--tls-cert-file={cert}", f"--tls-private-key-file={key}",
                     f"--client-ca-file={self.tls.ca}",
                     "--service-account-issuer=https://kubernetes.default.svc",
                     f"--service-account-key-file={public}",
                     f"--service-account-signing-key-file={private}",
                     f"--service-cluster-ip-range={','.join(self.services)}",
                     "--authorization-mode=Node,RBAC",
                     "--enable-admission-plugins=NodeRestriction",
                     "--allow-privileged=true", f"--cert-dir={self.dir}/tls", *self._gates, *args)

    def _define_controller_manager(self, controllers):
        cert, key = self._server
        conf = self.kubeconfig("system:kube-controller-manager")
        self._define("kube-controller-manager", f"--kubeconfig={conf}",
                     f"--authentication-kubeconfig={conf}", f"--authorization-kubeconfig={conf}",
                     "--bind-address=127.0.0.1", f"--secure-port={free_port(self.netns)}",
                     f"--tls-cert-file={cert}", f"--tls-private-key-file={key}",
                     f"--root-ca-file={self.tls.ca}",
                     f"--service-account-private-key-file={self._accounts[0]}",
                     f"--cluster-signing-cert-file={self.tls.ca}",
                     f"--cluster-signing-key-file={self.tls.ca_key}",
                     "--use-service-account-credentials=true", "--leader-elect=false",
                     f"--controllers={controllers}", *self._gates)

    def _define_scheduler(self):
        cert, key = self._server
        conf = self.kubeconfig("system:kube-scheduler")
        self._define("kube-scheduler", f"--kubeconfig={conf}",
                     f"--authentication-kubeconfig={conf}", f"--authorization-kubeconfig={conf}",
                     "--bind-address=127.0.0.1", f"--secure-port={free_port(self.netns)}",
                     f"--tls-cert-file={cert}", f"--tls-private-key-file={key}",
                     "--leader-elect=false")

    def _etcd_url(self):
        return f"http://127.0.0.1:{self.etcd_port}"

    # ---- start and stop

    def __enter__(self):
        begin = time.monotonic()
        try:
            self.start_etcd()
            self.start_apiserver()
            for name in ("kube-controller-manager", "kube-scheduler"):
                if name in self.programs:
                    self.start(name)
        except BaseException:
            self.close()
            raise
        self.started = time.monotonic() - begin
        return self

    def __exit__(self, kind, *_exc):
        if kind:
            print("".join(f"# {line}\n" for line in self.logs().splitlines()), flush=True)
        self.close()
        return False

    def start(self, name):
        """Starts the controller manager or the scheduler, and waits until it is healthy."""
        program = self.programs[name]
        port = next(int(a.split("=")[1]) for a in program.argv if a.startswith("--secure-port"))
        probe = Api("127.0.0.1", port, self.tls.ca, netns=self.netns)
        program.start()
        program.wait_ready(lambda: self._answers(probe, "/healthz"))

    def stop(self, name, sig=signal.SIGTERM):
        self.programs[name].stop(sig)

    def kill(self, name):
        self.stop(name, signal.SIGKILL)

    def start_etcd(self):
        self.programs["etcd"].start()
        self.programs["etcd"].wait_ready(self._etcd_ready)

    def stop_etcd(self):
        self.stop("etcd")

    def start_apiserver(self):
        """Returns when it is ready and the service "kubernetes" is there. It ends by itself when one of its
        hooks is not done within a minute, which a busy emulated guest may not give it. A kubelet starts it
        again then, and so do we, a few times, and say so."""
        program = self.programs["kube-apiserver"]
        for left in reversed(range(API_SERVER_STARTS)):
            program.start()
            try:
                program.wait_ready(self.ready)
                break
            except Ended as err:
                if not left:
                    raise
                print(f"# started again: {str(err).splitlines()[0]}", flush=True)
        program.wait_ready(lambda: self._answers(
            self.api, "/api/v1/namespaces/default/services/kubernetes"))

    def stop_apiserver(self):
        """As an upgrade does it: connections that are busy get their time, up to the minute
        of --request-timeout; kill("kube-apiserver") takes none."""
        self.stop("kube-apiserver")

    def ready(self):
        return self._answers(self.api, "/readyz")

    def _etcd_ready(self):
        with contextlib.closing(http.client.HTTPConnection(
                "127.0.0.1", self.etcd_port, timeout=30)) as conn:
            try:
                with self.netns or contextlib.nullcontext():
                    conn.connect()
                conn.request("GET", "/health")
                return conn.getresponse().status == 200
            except OSError:
                return False

    def forget(self):
        """etcd drops its history: what was watched from before now has to be listed again."""
        def post(path, body):
            with self.netns or contextlib.nullcontext():
                req = urllib.request.Request(f"{self._etcd_url()}/v3/kv/{path}", json.dumps(body).encode())
                with urllib.request.urlopen(req, timeout=PATIENCE) as answer:
                    return json.load(answer)
        post("compaction", {"revision": post("range", {"key": "AA=="})["header"]["revision"], "physical": True})

    @staticmethod
    def _answers(api, path):
        try:
            api.get(path)
            return True
        except (ApiError, OSError, ssl.SSLError):
            return False

    def close(self):
        """Stops everything and removes the folder. In a guest's run the logs stay."""
        if not self._open:
            return
        self._open = False
        for program in reversed(self.programs.values()):
            program.stop(signal.SIGKILL)
        keep, suite = os.environ.get("VROUTER_RUN"), os.path.basename(sys.argv[0])
        for program in self.programs.values():
            if keep and os.path.exists(program.log):
                shutil.copy(program.log, f"{keep}/{suite}-{program.name}.log")
        shutil.rmtree(self.dir, ignore_errors=True)

    def logs(self, lines=40):
        """The last lines that each program logged."""
        return "".join(p.tail(lines) for p in self.programs.values() if os.path.exists(p.log))

    def memory(self):
        """The most memory that each program held, in MiB."""
        return {p.name: p.peak() for p in self.programs.values()}

    # ---- users

    def client(self, user, groups=()):
        """The requests of any user, by a client certificate."""
        cert, key = self.tls.client(user, groups)
        return Api(self.address, self.port, self.tls.ca, cert, key, netns=self.netns)

    def kubeconfig(self, user, groups=()):
        cert, key = self.tls.client(user, groups)
        return write_kubeconfig(f"{self.dir}/{os.path.basename(cert)[:-4]}.kubeconfig",
                                self.url, self.tls.ca, cert, key)

    def service_account_token(self, namespace, name, seconds=3600, pod=None):
        """For `seconds` (the server refuses less than 600); such as a kubelet has made for the
        pod, an object, if there is one."""
        spec = {"expirationSeconds": seconds}
        if pod:
            meta = pod["metadata"]
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        return self.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})["status"]["token"]

    def service_account_kubeconfig(self, namespace, name, seconds=3600):
        return write_kubeconfig(f"{self.dir}/sa-{namespace}-{name}.kubeconfig", self.url, self.tls.ca,
                                token=self.service_account_token(namespace, name, seconds))

    def kubectl(self, *args, input=None, kubeconfig=None, check=True, timeout=PATIENCE):
        """Runs kubectl, as the administrator unless told otherwise; what it printed (its
        result with check=False). An AssertionError tells what it said."""
        # pylint: disable=redefined-builtin
        argv = [f"{self._bin}/kubectl", f"--kubeconfig={kubeconfig or self.admin}", *args]
        with self.netns or contextlib.nullcontext():
            res = run(argv, check=check, stdin=input, timeout=timeout,
                      env=dict(os.environ, HOME=self.dir))
        return res.stdout if check else res

    # ---- objects that nearly every test wants

    def install(self):
        """The manager's kinds and rights, as the README says; it serves these when this returns."""
        deploy = f"{SRC}/userspace/deploy/kubernetes"
        # older ones know no rules in a schema, and refuse them unless they are told not to look
        how = "--validate=false" if self.release < (1, 25) else "--server-side"
        self.kubectl("apply", how, "-f", f"{deploy}/crds.yaml")
        self.kubectl("apply", "-f", f"{deploy}/rbac.yaml")
        group = "/apis/opencontrail.org/v1"
        wait_for(lambda: self.api.find(group) and len(self.api.get(group)["resources"]) >= 12, "the custom resources", PATIENCE)

    def namespace(self, name, labels=None):
        """Makes a namespace in which pods can be made: with its default service account,
        which is the controller manager's work where there is one."""
        made = self.api.post("/api/v1/namespaces", {
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": labels or {}}})
        accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
        if "kube-controller-manager" in self.programs:
            self.wait_for_account(name)
        else:
            self.api.post(accounts, {"apiVersion": "v1", "kind": "ServiceAccount",
                                     "metadata": {"name": "default"}})
        return made

    def wait_for_account(self, namespace):
        """Until pods can be made there: before 1.24 an account has to have its token, too."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        has = (lambda a: a) if self.release >= (1, 24) else (lambda a: a and a.get("secrets"))
        wait_for(lambda: has(self.api.find(path)), f"the service account of namespace {namespace}", PATIENCE)

    def node(self, name, addresses=()):
        """Makes a node that is ready."""
        self.api.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node",
                                        "metadata": {"name": name}})
        return self.api.patch(f"/api/v1/nodes/{name}/status", {"status": {
            "addresses": [{"type": "InternalIP", "address": a} for a in addresses],
            "conditions": [{"type": "Ready", "status": "True", "reason": "Test",
                            "message": "there is no kubelet"}]}})

    def pod(self, namespace, name, node, labels=None, ports=(), annotations=None, **spec):
        """Makes a pod that is bound to a node; it does not run yet."""
        return self.api.post(f"/api/v1/namespaces/{namespace}/pods", {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": labels or {}, "annotations": annotations or {}},
            "spec": {"nodeName": node, "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "main", "image": "none",
                                     "ports": [{"containerPort": p} for p in ports]}], **spec}})

    def pod_status(self, namespace, name, addresses, ready=True):
        """Says what a kubelet would: that the pod runs at these addresses, ready or not."""
        state = "True" if ready else "False"
        return self.api.patch(f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": {
            "phase": "Running", "podIP": addresses[0],
            "podIPs": [{"ip": a} for a in addresses],
            "conditions": [{"type": t, "status": state} for t in ("Ready", "ContainersReady")]}})
