"""The images: how large they are, and who can run them."""

import json
import time
from importlib.metadata import version

import pytest

from tests.containers.engine import Engine
from tests.containers.images import OWN, base_name

MB = 10**6
LARGEST_MB = {"pawsort-web": 320, "pawsort-worker": 600}  # beyond the base
ANY_USER = "12345:0"  # as OpenShift chooses one


def size(engine: Engine, image: str) -> int:
    return int(engine.ask("image", "inspect", "--format", "{{.Size}}", image))


@pytest.mark.parametrize("image", LARGEST_MB)
def test_an_image_is_small(built: Engine, image: str) -> None:
    n_mb = (size(built, image) - size(built, base_name())) / MB
    print(f"{image}: {n_mb:.0f} MB beyond its base")
    assert n_mb < LARGEST_MB[image]


@pytest.mark.parametrize("image", OWN)
def test_another_version_is_a_small_layer(built: Engine, image: str) -> None:
    layers = built.ask("history", "--no-trunc", "--human=false", "--format", "{{json .}}", image).splitlines()
    sizes = {one["CreatedBy"]: int(one["Size"]) for one in map(json.loads, layers)}
    (code,) = [n_bytes for command, n_bytes in sizes.items() if "/opt/pawsort/code" in command]
    print(f"{image}: its code has {code / MB:.0f} MB")
    assert code < 60 * MB


@pytest.mark.parametrize("user", ["10001:10001", ANY_USER])
@pytest.mark.parametrize("image", OWN)
def test_any_user_can_run_an_image_whose_files_cannot_be_changed(built: Engine, image: str, user: str) -> None:
    words = ("run", "--rm", "--network", "none", "--user", user, "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp")
    code = "import os; open('/var/lib/pawsort/x', 'w'); print(os.getuid(), os.path.expanduser('~'))"
    volume = ("--volume", "/var/lib/pawsort")  # gets owner and mode of the image's folder
    assert built.ask(*words, *volume, image, "python", "-c", code) == f"{user.partition(':')[0]} /var/lib/pawsort"
    assert built.ask(*words, image, "pawsort", "--version") == version("pawsort")
    refused = built.run(*words, image, "touch", "/opt/pawsort/x", check=False)
    assert refused.returncode != 0


@pytest.mark.parametrize("image", OWN)
def test_the_group_of_an_image_exists(built: Engine, image: str) -> None:
    assert built.ask("run", "--rm", "--network", "none", image, "id", "--group", "--name") == "pawsort"


def test_a_service_that_waits_for_its_servers_ends_at_once(built: Engine) -> None:
    addresses = (
        "PAWSORT_DATABASE_URL=postgresql://pawsort@127.0.0.1:1/pawsort",
        "PAWSORT_REDIS_URL=redis://127.0.0.1:1",
    )
    given = [part for one in addresses for part in ("--env", one)]
    container = built.ask("run", "--detach", "--init", "--network", "none", *given, "pawsort-worker")
    try:
        time.sleep(3)
        begun = time.monotonic()
        built.run("stop", "--time", "20", container)
        assert time.monotonic() - begun < 10
    finally:
        built.run("rm", "--force", container)
