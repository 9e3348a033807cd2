"""The Helm chart as Helm itself renders it, each object against the schemas of Kubernetes."""

import json
from typing import Any

import pytest

from tests.containers import images
from tests.containers.engine import Engine
from tests.support.paths import ROOT

IMAGE = "pawsort-test-helm"
CHART = ROOT / "deploy" / "helm"
EVERYTHING = {
    "image": {"registry": "registry.example.org/team", "pullSecrets": [{"name": "registry"}]},
    "blobs": {"endpoint": "https://s3.example.org"},
    "settings": {"PAWSORT_MAX_IMAGE_BYTES": "1000"},
    "workers": {"inference": {"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]}},
    "ingress": {"enabled": True, "className": "nginx", "host": "pawsort.example.org", "tlsSecret": "tls"},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]},
    "podSecurityContext": {"fsGroup": 10001},
}
BEAT = {"beat": {"enabled": True}}
NOTHING = {"hasStoreKeys": False, "networkPolicy": {"enabled": False}}
INFO = 1  # of Helm's severities
ALWAYS = {"web", "inference", "training", "maintenance"}


@pytest.fixture(scope="module")
def helm(engine: Engine) -> Engine:
    """The engine, with an image of Helm."""
    if not images.has(engine, images.base_name()):
        images.make_base(engine, images.base_name())
    images.build_stand_in(engine, IMAGE)
    return engine


def render(helm: Engine, values: dict[str, Any]) -> list[dict[str, Any]]:
    words = ("run", "--rm", "--network", "none", "--volume", f"{CHART}:/charts:ro", IMAGE)
    answer = json.loads(helm.ask(*words, "/charts/pawsort", json.dumps(values)))
    assert [one for one in answer["lint"]["Messages"] if one["Severity"] > INFO] == []
    objects: list[dict[str, Any]] = answer["objects"]
    return objects


@pytest.mark.parametrize("values", [{}, EVERYTHING, NOTHING], ids=["defaults", "everything", "nothing"])
def test_it_renders_to_objects_that_kubernetes_knows(helm: Engine, values: dict[str, Any]) -> None:
    objects = render(helm, values)
    deployments = [one for one in objects if one["kind"] == "Deployment"]
    assert {one["metadata"]["name"].removeprefix("pawsort-") for one in deployments} == ALWAYS
    assert len({(one["kind"], one["metadata"]["name"]) for one in objects}) == len(objects)
    for one in (*deployments, *(one for one in objects if one["kind"] == "Job")):
        pod = one["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["resources"]["limits"]["memory"]
        names = [variable["name"] for variable in container["env"]]
        assert len(set(names)) == len(names)
        assert ("livenessProbe" in container) == (one["kind"] == "Deployment")


def test_every_pod_has_a_budget_and_a_policy_and_workers_are_scaled(helm: Engine) -> None:
    objects = render(helm, EVERYTHING)

    def named(kind: str) -> set[str]:
        return {one["metadata"]["name"].removeprefix("pawsort-") for one in objects if one["kind"] == kind}

    assert named("PodDisruptionBudget") == ALWAYS
    assert named("NetworkPolicy") == ALWAYS | {"migrate"}
    assert named("ScaledObject") == {"inference", "training"}
    scaled = next(one for one in objects if one["kind"] == "ScaledObject")
    assert "pawsort_oldest_waiting_seconds" in scaled["spec"]["triggers"][0]["metadata"]["query"]


def test_a_beat_of_its_own_sees_the_broker_alone(helm: Engine) -> None:
    objects = render(helm, BEAT)
    pods = {
        one["metadata"]["name"].removeprefix("pawsort-"): one["spec"]["template"]["spec"]
        for one in objects
        if one["kind"] == "Deployment"
    }
    assert pods.keys() == ALWAYS | {"beat"}
    assert pods["maintenance"]["containers"][0]["args"] == ["--without-beat"]
    assert "args" not in pods["inference"]["containers"][0]
    (secrets,) = [one["secret"]["items"] for one in pods["beat"]["volumes"] if one["name"] == "secrets"]
    assert [one["key"] for one in secrets] == ["redis_url"]
    assert "pawsort-beat" in [one["metadata"]["name"] for one in objects if one["kind"] == "NetworkPolicy"]
