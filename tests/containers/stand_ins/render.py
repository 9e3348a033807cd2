"""Lints a chart, renders it and validates what comes out. Usage: render.py CHART VALUES_AS_JSON

Helm's library installs into a cluster and cannot only render. So it installs into an API server that is none: before
anything else it stores the release there, rendered.
"""

import asyncio
import base64
import gzip
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import kubernetes_validate
import yaml
from helm_sdkpy import Configuration, HelmError, Install, Lint

VERSION = "1.34"
KINDS = {
    "v1": {"pods": "Pod", "secrets": "Secret", "services": "Service"},
    "apps/v1": {"deployments": "Deployment"},
    "batch/v1": {"jobs": "Job"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy", "ingresses": "Ingress"},
    "keda.sh/v1alpha1": {"scaledobjects": "ScaledObject"},
}
KEDA = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "cooldownPeriod", "triggers"}
PACKED = re.compile(rb"H4sI[A-Za-z0-9+/]+=*")
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: none, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
contexts: [{{name: none, context: {{cluster: none, user: none}}}}]
users: [{{name: none, user: {{}}}}]
current-context: none
"""


class ApiServer(BaseHTTPRequestHandler):
    """Knows kinds, has nothing, and keeps the release that is to be stored."""

    release: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        version = path.removeprefix("apis/").removeprefix("api/")
        if path == "version":
            self.answer(major="1", minor=VERSION.partition(".")[2], gitVersion=f"v{VERSION}.0")
        elif path == "api":
            self.answer(kind="APIVersions", versions=["v1"])
        elif path == "apis":
            versions = [(one, {"groupVersion": one, "version": one.partition("/")[2]}) for one in KINDS if "/" in one]
            groups = [
                {"name": one.partition("/")[0], "versions": [version], "preferredVersion": version}
                for one, version in versions
            ]
            self.answer(kind="APIGroupList", apiVersion="v1", groups=groups)
        elif version in KINDS:
            resources = [
                {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "create"]}
                for name, kind in KINDS[version].items()
            ]
            self.answer(kind="APIResourceList", apiVersion="v1", groupVersion=version, resources=resources)
        elif path.endswith("/secrets"):
            self.answer(kind="SecretList", apiVersion="v1", metadata={}, items=[])
        else:
            self.refuse(404, "NotFound")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        # The Secret comes as protobuf, with the release in it as compressed text.
        if (stored := PACKED.search(body)) and not self.release:
            self.release.update(json.loads(gzip.decompress(base64.b64decode(stored[0]))))
        self.refuse(403, "Forbidden")

    def refuse(self, status: int, reason: str) -> None:
        self.answer(status, kind="Status", apiVersion="v1", status="Failure", reason=reason, code=status)

    def answer(self, http_status: int = 200, /, **value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(http_status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def lint_and_render(chart: str, values: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = Configuration(kubeconfig=KUBECONFIG.format(port=server.server_port))
    found = asyncio.run(Lint(config).run(chart))
    try:
        asyncio.run(Install(config).run("pawsort", chart, values, wait=False, timeout=20))
    except HelmError as error:
        if not ApiServer.release:
            raise SystemExit(f"it cannot be rendered: {error}") from error
    release = ApiServer.release
    texts = [release["manifest"], *(hook["manifest"] for hook in release.get("hooks") or [])]
    return found, [one for text in texts for one in yaml.safe_load_all(text) if one]


def validate(thing: dict[str, Any]) -> None:
    if thing["kind"] == "ScaledObject":  # KEDA's own
        assert thing["spec"].keys() <= KEDA, thing
    else:
        kubernetes_validate.validate(thing, VERSION, strict=True)


def main() -> None:
    lint, objects = lint_and_render(sys.argv[1], json.loads(sys.argv[2]))
    for one in objects:
        validate(one)
    print(json.dumps({"lint": lint, "objects": objects}))


main()
