# SPDX-License-Identifier: GPL-2.0-only
"""A Kubernetes API client of the standard library, and the credentials for it.

    api = Api("127.0.0.1", 6443, ca, cert=..., key=...)
    api.get("/api/v1/namespaces/default")
    api.patch("/api/v1/nodes/n1/status", {"status": {...}})
    with api.watch("/api/v1/namespaces/default/configmaps") as events:
        event = events.next()
"""

import base64
import contextlib
import http.client
import json
import os
import random
import socket
import ssl

from .netns import run

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """The server refused: its HTTP status, the reason and the message of its Status."""

    def __init__(self, method, path, code, body):
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        self.code = code
        self.reason = answer.get("reason", "")
        self.message = answer.get("message", body)
        super().__init__(f"{method} {path}: {code} {self.reason}: {self.message}")


class Watch:
    """The events of a watch; closed at the end of its context."""

    def __init__(self, conn, answer):
        self._conn, self._answer = conn, answer
        self._sock = conn.sock

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self._answer.close()
        self._conn.close()
        return False

    def next(self, seconds=60):
        """The next event {"type", "object"}; None when the server ended the stream;
        TimeoutError after `seconds` (a bound for a hang)."""
        self._sock.settimeout(seconds)
        line = self._answer.readline()
        return json.loads(line) if line else None

    def until(self, kind, name, seconds=60):
        """The object of the next event of that type and metadata.name."""
        while True:
            event = self.next(seconds)
            if event is None:
                raise AssertionError(f"the watch ended before {kind} {name}")
            if event["type"] == kind and event["object"]["metadata"]["name"] == name:
                return event["object"]


class Api:
    """One user's requests to one API server; one connection for each, so that a server
    that was restarted is no different from one that was not."""

    def __init__(self, host, port, ca, cert=None, key=None, token=None, netns=None):
        """ca, cert, key: files. netns: where the requests come from (None: from here)."""
        self.host, self.port, self.token, self.netns = host, port, token, netns
        self._tls = ssl.create_default_context(cafile=ca)
        if cert:
            self._tls.load_cert_chain(cert, key)

    def _send(self, method, path, body, kind, seconds):
        conn = http.client.HTTPSConnection(self.host, self.port, context=self._tls,
                                           timeout=seconds)
        with self.netns or contextlib.nullcontext():
            conn.connect()
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = kind
            body = json.dumps(body)
        conn.request(method, path, body, headers)
        return conn, conn.getresponse()

    def request(self, method, path, body=None, kind="application/json", seconds=60):
        """The answer: an object when it is JSON, else text. ApiError when it is no 2xx,
        OSError when there is no server."""
        conn, answer = self._send(method, path, body, kind, seconds)
        with contextlib.closing(conn):
            text = answer.read().decode()
        if not 200 <= answer.status < 300:
            raise ApiError(method, path, answer.status, text)
        if "json" in answer.headers.get("Content-Type", ""):
            return json.loads(text)
        return text

    def get(self, path):
        return self.request("GET", path)

    def find(self, path):
        """As get, but None for what is not there."""
        try:
            return self.get(path)
        except ApiError as err:
            if err.code == 404:
                return None
            raise

    def post(self, path, body):
        return self.request("POST", path, body)

    def put(self, path, body):
        return self.request("PUT", path, body)

    def patch(self, path, body, kind=MERGE):
        return self.request("PATCH", path, body, kind)

    def delete(self, path, grace=None):
        """grace: seconds; 0 for pods that no kubelet will ever confirm as gone."""
        body = None if grace is None else {"gracePeriodSeconds": grace}
        return self.request("DELETE", path, body)

    def watch(self, path, since=None, seconds=60):
        """Events from resource version `since` on; without one the state comes first."""
        path += ("&" if "?" in path else "?") + "watch=1"
        if since is not None:
            path += f"&resourceVersion={since}"
        conn, answer = self._send("GET", path, None, None, seconds)
        if answer.status != 200:
            with contextlib.closing(conn):
                raise ApiError("GET", path, answer.status, answer.read().decode())
        return Watch(conn, answer)


def free_port(netns=None):
    """A TCP port that nobody has just now, and no client gets (ip_local_port_range begins at 32768)."""
    with netns or contextlib.nullcontext():
        while True:
            port = random.randrange(20000, 30000)
            with socket.socket() as sock:
                try:
                    sock.bind(("0.0.0.0", port))
                    return port
                except OSError:
                    continue


class Authority:
    """A certificate authority in a folder, with what it issued beside it."""

    def __init__(self, folder):
        self.dir = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._conf = f"{folder}/openssl.cnf"
        with open(self._conf, "w", encoding="utf-8") as out:
            out.write("[req]\ndistinguished_name = none\n[none]\n")
        self.ca, self.ca_key = f"{folder}/ca.crt", f"{folder}/ca.key"
        self._openssl(self.ca, self.ca_key, "/CN=vrouter test CA",
                      ["basicConstraints=critical,CA:true",
                       "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"])

    def _openssl(self, cert, key, subject, extensions, *args):
        argv = ["openssl", "req", "-x509", "-config", self._conf, "-newkey", "ec",
                "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-keyout", key, "-out", cert, "-subj", subject, *args]
        for ext in extensions:
            argv += ["-addext", ext]
        run(argv)

    def _issue(self, name, subject, extensions):
        cert, key = f"{self.dir}/{name}.crt", f"{self.dir}/{name}.key"
        self._openssl(cert, key, subject,
                      ["basicConstraints=critical,CA:false",
                       "keyUsage=critical,digitalSignature", *extensions],
                      "-CA", self.ca, "-CAkey", self.ca_key)
        return cert, key

    def server(self, name, names):
        """(certificate, key) of a server that is reached by these names and addresses."""
        alt = ",".join(f"{'IP' if _is_address(n) else 'DNS'}:{n}" for n in names)
        return self._issue(name, f"/CN={name}",
                           ["extendedKeyUsage=serverAuth", f"subjectAltName={alt}"])

    def client(self, user, groups=()):
        """(certificate, key) of a user in these groups."""
        subject = "".join(f"/O={_escape(g)}" for g in groups) + f"/CN={_escape(user)}"
        name = "client-" + "".join(c if c.isalnum() else "-" for c in user)
        return self._issue(name, subject, ["extendedKeyUsage=clientAuth"])

    def key(self, name):
        """A bare EC key pair: (private, public)."""
        private, public = f"{self.dir}/{name}.key", f"{self.dir}/{name}.pub"
        run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-out", private])
        run(["openssl", "pkey", "-in", private, "-pubout", "-out", public])
        return private, public


def _is_address(name):
    return ":" in name or name.replace(".", "").isdigit()


def _escape(value):
    return "".join("\\" + c if c in "\\/+" else c for c in value)


def _data(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def write_kubeconfig(path, url, ca, cert=None, key=None, token=None):
    """A kubeconfig that needs no other file, readable for its owner alone. JSON is YAML."""
    user = {"token": token} if token else {"client-certificate-data": _data(cert),
                                           "client-key-data": _data(key)}
    conf = {"apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": url, "certificate-authority-data": _data(ca)}}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}]}
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w", encoding="utf-8") as out:
        json.dump(conf, out, indent=1)
    return path
