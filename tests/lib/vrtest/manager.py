# SPDX-License-Identifier: GPL-2.0-only
"""A manager that runs against a control plane, with the rights of its service account only.

    m = Manager(cp, "one").start()
    m.metrics().value("vrouter_manager_problems")
    m.end()
"""

import http.client
import json
import signal
import subprocess

from .kube import PATIENCE
from .kube_api import free_port
from .node import BUILD
from .prom import Metrics

POD_NETWORK = "10.32.0.0/12,fd00:32::/64"
SERVICE_NETWORK = "10.96.0.0/16,fd00:96::/108"


class Manager:
    """One replica. name None: it chooses its own. popen: where it is to run, else here."""

    def __init__(self, cp, name=None, pods=POD_NETWORK, services=SERVICE_NETWORK, popen=subprocess.Popen, http_at=None):
        self.cp, self.name, self.proc = cp, name or "manager", None
        self.log = f"{cp.dir}/{self.name}.log"
        self.port = free_port()
        self._popen, self._conf = popen, None
        self._args = [*(["--identity", name] if name else []), "--http", http_at or f"127.0.0.1:{self.port}", "--pod-network", pods, "--service-network", services]

    def kubeconfig(self):
        """One for all starts: an API server that is away gives no new token."""
        if not self._conf:
            self._conf = self.cp.service_account_kubeconfig("kube-system", "contrail-kube-manager")
        return self._conf

    def start(self, conf=None):
        conf = conf or self.kubeconfig()
        with open(self.log, "ab") as log:
            self.proc = self._popen([f"{BUILD}/contrail-kube-manager", "--kubeconfig", conf, *self._args],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def runs(self):
        return self.proc and self.proc.poll() is None

    def end(self, sig=signal.SIGTERM):
        self.proc.send_signal(sig)
        return self.proc.wait(PATIENCE)

    def ask(self, path, method="GET", **headers):
        """Status, content type, body; None while nobody listens."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            conn.request(method, path, headers=headers)
            rsp = conn.getresponse()
            return rsp.status, rsp.headers["Content-Type"], rsp.read().decode()
        except ConnectionRefusedError:
            return None
        finally:
            conn.close()

    def metrics(self):
        return Metrics(self.ask("/metrics")[2])

    def page(self, path):
        status, _, body = self.ask(f"/debug/{path}", Accept="application/json")
        return json.loads(body) if status == 200 else None

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()
