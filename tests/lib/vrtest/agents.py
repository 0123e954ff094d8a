# SPDX-License-Identifier: GPL-2.0-only
"""Pods of the agent (tests/cluster/images/agent), which real kubelets start: they serve, and ask others when told.

    agents = Agents(cp, node.ns)
    agents.deployment("default", "web", 2, [container()])
    agents.say(address, "/ask", url="http://web/", n=12)
"""

import contextlib
import http.client
import json
import urllib.parse

from .kube import PATIENCE
from .kubelet import AGENT


def container(args=(), **more):
    """Probed twice as often as ready pods need it, so that a test sees it soon."""
    return {"name": "agent", "image": AGENT, "imagePullPolicy": "Never", "args": list(args) or ["serve"],
            "ports": [{"containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 30},
            **more}


def template(app, containers, **spec):
    return {"metadata": {"labels": {"app": app}},
            "spec": {"containers": containers, "enableServiceLinks": False, **spec}}


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", [])) and \
        "deletionTimestamp" not in pod["metadata"]


class Agents:
    """Of one cluster."""

    def __init__(self, cp, ns):
        """ns: where say() asks from."""
        self.cp, self.ns = cp, ns

    def deployment(self, namespace, app, replicas, containers, **spec):
        self.cp.api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": app}, "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": app}},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": template(app, containers, **spec)}})

    def service(self, namespace, name, app, ports, **spec):
        self.cp.api.post(f"/api/v1/namespaces/{namespace}/services", {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": app}, "ports": ports, **spec}})

    def pod(self, namespace, name, containers, annotations=None, **spec):
        pod = template(name, containers, terminationGracePeriodSeconds=5, **spec)
        pod["metadata"].update({"name": name, "annotations": annotations or {}})
        self.cp.api.post(f"/api/v1/namespaces/{namespace}/pods", {"apiVersion": "v1", "kind": "Pod", **pod})

    def pods(self, namespace="default", app=None, label="app"):
        query = f"?labelSelector={urllib.parse.quote(label, '')}%3D{app}" if app else ""
        return self.cp.api.get(f"/api/v1/namespaces/{namespace}/pods{query}")["items"]

    def all_ready(self, namespace, app, count=1):
        there = self.pods(namespace, app)
        return len(there) == count and all(is_ready(p) for p in there)

    def say(self, who, path, port=8080, ns=None, **query):
        """What the agent at that address answers to the node (or to `ns`): an object if it is JSON."""
        conn = http.client.HTTPConnection(who, port, timeout=PATIENCE)
        with contextlib.closing(conn):
            with ns or self.ns:
                conn.connect()
            conn.request("GET", f"{path}?{urllib.parse.urlencode(query)}")
            answer = conn.getresponse()
            text = answer.read().decode()
        if answer.status != 200:
            raise AssertionError(f"{who} {path} {query}: {answer.status} {text}")
        return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def members(self, url, asker, seconds=60, n=12):
        """The names of the pods that answer the asker's requests, one after another."""
        answers = self.say(asker, "/ask", url=url, n=n, seconds=seconds)["answers"]
        return {a.split()[0] for a in answers}


__all__ = ["Agents", "container", "is_ready", "template"]
