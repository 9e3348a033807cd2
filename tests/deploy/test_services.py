"""Every service of docker-compose.yml, started for real, and pictures that go through all of them."""

import csv
import json
import re
import subprocess
import sys
import urllib.request
import zlib
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np
import pytest

from core.base.database import Database
from core.decoding.images import decode_image
from tests.support import compose
from tests.support.compose import ROOT
from tests.support.compose_stack import Stack
from tests.support.deadlines import within
from tests.support.photographs import photographs
from tests.support.soundness import check_sound
from tests.support.waiting import until

N_SHORT, N_WHOLE = 100, 1_000
COUNTED_S = 20.0  # workers write with their heartbeat, every 5 s
TOLERANCE = 2e-4  # of a probability: another batch, another order of sums
ROLES = {"web": "web", "inference": "worker", "training": "training", "maintenance": "worker", "migrate": "worker"}

pytestmark = pytest.mark.skipif(compose.missing("nginx"), reason="nginx is not installed")


def test_pictures_go_through_every_service(stack: Stack, tmp_path: Path) -> None:
    stack.start()
    check_pictures(stack, N_SHORT, tmp_path)


def test_a_second_start_finds_its_jobs_done(stack: Stack) -> None:
    stack.start("migrate")
    for name in ("bucket", "migrate"):
        stack.begin(name)
        stack.wait_completed(name)
    assert "already" not in stack.log("bucket", 1)


def test_the_proxy_lets_large_bodies_through_as_they_come_and_keeps_figures_inside(stack: Stack) -> None:
    stack.start("proxy")
    stack.wait_healthy("proxy")
    page = f"http://127.0.0.1:{stack.port('proxy')}"
    body = b"\0" * 9 * 2**20
    with httpx2.Client(base_url=page, timeout=within(30), trust_env=False) as http:
        alive = http.get("/healthz")
        assert alive.status_code == 200
        assert "Strict-Transport-Security" not in alive.headers  # without TLS nobody would come back
        assert http.get("/metrics").status_code == 404
        assert http.post("/login", content=body).status_code == 413
        # Past the proxy; the web refuses it for what it is.
        assert http.put("/api/v1/archives?name=x", content=body).status_code == 401


def test_each_line_of_a_log_is_json(stack: Stack) -> None:
    stack.start()
    stack.stop("maintenance")
    for name in ("migrate", "web", "inference", "training", "maintenance"):
        assert all("event" in json.loads(line) for line in stack.log(name).splitlines()), name


@pytest.mark.slow
def test_every_service_ends_in_its_grace(stack: Stack) -> None:
    stack.start()
    for name in ("inference", "training", "maintenance"):
        stack.wait_healthy(name)
    for name in ("proxy", "web", "inference", "training", "maintenance", "redis", "postgres"):
        stack.stop(name)


@pytest.mark.slow
def test_a_thousand_originals_go_through_images_that_were_installed_for_it(tmp_path: Path) -> None:
    images = {service: make_image(role, tmp_path / role) for service, role in ROLES.items()}
    stack = Stack({"PAWSORT_INFERENCE_PROCESSES": "2", "PAWSORT_DEFAULT_NETWORK": "seed-cnn"}, images)
    try:
        stack.start()
        check_pictures(stack, N_WHOLE, tmp_path)
    finally:
        stack.close()


def make_image(role: str, folder: Path) -> Path:
    """What the Dockerfile's steps put into an image, in a folder; returns its `bin`."""
    target = folder / "environment"
    if target.exists():
        return target / "bin"
    text = (ROOT / "Dockerfile").read_text()
    code = "web" if role == "web" else "worker"
    build = text[text.index(f" AS {code}-code") :].partition("\nFROM")[0]
    source = folder / "source"
    source.mkdir(parents=True)
    for part in re.findall(r"^COPY (\w+)/ ", build, re.MULTILINE):
        subprocess.run(["cp", "-R", str(ROOT / part), str(source)], check=True)
    for part in ("deploy", "requirements", "pyproject.toml", "README.md", "NOTICE"):
        subprocess.run(["cp", "-R", str(ROOT / part), str(source)], check=True)
    for step in (("packages", role, str(target)), ("pawsort", str(target))):
        command = ["sh", "deploy/install.sh", *step]
        environment = {"PYTHON": sys.executable, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        run = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
    has_tensorflow = any((target / "lib").glob("python*/site-packages/tensorflow"))
    assert has_tensorflow == (role == "training")
    return target / "bin"


def check_pictures(stack: Stack, n: int, tmp_path: Path) -> None:
    """Send so many pictures with the command that people use; each gets the label that its network gives it."""
    folder = tmp_path / f"photos-{n}"
    folder.mkdir()
    pictures = {f"{number:04}.jpg": data for number, data in enumerate(photographs(n))}
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    made = stack.run("web", "pawsort", "token", "create")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    stack.wait_healthy("proxy")
    server = f"http://127.0.0.1:{stack.port('proxy')}"
    out = tmp_path / "out.csv"
    run = stack.run(
        "web", "pawsort", "classify", str(folder), "-o", str(out), "--server", server, "--token", token, NO_PROXY="*"
    )
    assert run.returncode == 0, run.stdout + run.stderr + stack.log("web") + stack.log("inference")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"{folder.name}/{name}" for name in pictures]
    expected = predict(list(pictures.values()))
    for row, (p_cat, p_dog) in zip(rows, expected, strict=True):
        assert row["error_code"] == ""
        assert abs(float(row["p_cat"]) - p_cat) < TOLERANCE
        assert abs(float(row["p_dog"]) - p_dog) < TOLERANCE
        assert row["label"] in ("unsure", "cat" if p_cat > p_dog else "dog")
    with ask(server, token) as http:
        job = http.get("/api/v1/jobs").json()["items"][0]
    counted = Counter(row["label"] for row in rows)
    assert {name: n_label for name, n_label in job["counts"]["by_label"].items() if n_label} == counted
    database = Database(stack.value("web", "PAWSORT_DATABASE_URL"))
    check_sound(database, job["id"])
    database.close()
    check_metrics(stack, server, token)


def ask(server: str, token: str) -> httpx2.Client:
    """A program with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=server, headers=headers, timeout=within(30), trust_env=False)


def check_metrics(stack: Stack, server: str, token: str) -> None:
    """What Prometheus is told equals what the interface says; workers tell what they counted a few seconds later."""
    with ask(server, token) as http:
        jobs = http.get("/api/v1/jobs?limit=100").json()["items"]
    n_done = sum(job["counts"]["done"] for job in jobs)
    good = 'pawsort_images_classified_total{outcome="good"}'
    ended, predicted = 'pawsort_chunks_ended_total{outcome="done"}', 'pawsort_stage_seconds_count{stage="predict"}'

    def is_told() -> bool:
        now = scrape(stack)
        return now[good] >= n_done and now[ended] >= now[predicted]

    until(is_told, COUNTED_S, "the workers to tell", lambda: str(scrape(stack)))
    found = scrape(stack)
    assert found['pawsort_images_classified_total{outcome="good"}'] == n_done
    assert found['pawsort_images{outcome="done"}'] == n_done
    assert found['pawsort_images{outcome="open"}'] == 0
    assert found['pawsort_jobs{state="done"}'] == sum(job["state"] == "done" for job in jobs)
    n_chunks = found[ended]
    for stage in ("wait", "read", "decode", "predict"):
        assert found[f'pawsort_stage_seconds_count{{stage="{stage}"}}'] == n_chunks
    assert found['pawsort_stage_seconds_count{stage="record"}'] >= n_chunks  # a long chunk is recorded in parts
    assert found['pawsort_workers_alive{queue="inference"}'] >= 1


def scrape(stack: Stack) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port('web')}/metrics") as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def predict(pictures: list[bytes]) -> list[tuple[float, float]]:
    """What the shipped network says of these pictures, without any of the services."""
    code = (
        "import json, sys, zlib, numpy as np\n"
        "from pathlib import Path\n"
        "from model.inference.classifier import Classifier\n"
        "from model.artifacts.conversion import ConversionManifest, ConvertedBody\n"
        "from model.artifacts.manifest import Manifest\n"
        "SHIPPED = Path('model/pretrained')\n"
        "manifest = Manifest.from_json((SHIPPED / 'seed-cnn.json').read_text())\n"
        "conversion = ConversionManifest.from_json((SHIPPED / 'converted' / 'seed-cnn.json').read_text())\n"
        "body = ConvertedBody(conversion, (SHIPPED / 'converted' / 'seed-cnn.tflite').read_bytes())\n"
        "one = Classifier(manifest, (SHIPPED / 'seed-cnn.npz').read_bytes(), converted=body)\n"
        "pixels = np.frombuffer(zlib.decompress(sys.stdin.buffer.read()), np.uint8)\n"
        "pixels = pixels.reshape(-1, manifest.side_px, manifest.side_px, 3)\n"
        "print(json.dumps(one.predict(pixels).tolist()))\n"
    )
    pixels = np.stack([decode_image(picture, 64) for picture in pictures])
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, input=zlib.compress(pixels.tobytes()), capture_output=True, cwd=ROOT, check=True)
    return [tuple(row) for row in json.loads(run.stdout.splitlines()[-1])]
