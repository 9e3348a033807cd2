"""Check an exported table: some of its pictures are classified again, and both results compared.

table ─► sample ─► pictures of the sample, by their SHA-256 ─► [classified with the same version] ─► differences
"""

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pawsort.api.errors import ClientError, NotFound
from pawsort.client.pawsort import Pawsort
from pawsort.files.content_index import ContentIndex, FileHashes
from pawsort.files.tables import Row, read_origin, read_rows
from pawsort.operations.references import JobReference
from pawsort.schemas import Result

NO_BYTES = "too_many_bytes"  # the error of a file that was never sent


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the results of a table were computed.

    Attributes:
        version: The number of the model version on this server.
        threshold: From which confidence a picture gets a label.
    """

    version: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A picture with another result than in the table: label or error code, and the probabilities by class."""

    path: str
    sha256: str
    recorded: str | None
    computed: str | None
    recorded_probabilities: dict[str, float]
    computed_probabilities: dict[str, float]


@dataclass(slots=True)
class Comparison:
    """What became of a sample.

    Attributes:
        n_compared: Pictures that were classified again.
        n_other_label: Those whose label differs only since a probability within the tolerance crossed the threshold.
        largest: The largest difference between probabilities.
    """

    n_compared: int = 0
    n_other_label: int = 0
    largest: float = 0.0
    differences: list[Difference] = field(default_factory=list)


def find_recipe(client: Pawsort, table: Path, job: JobReference | None) -> Recipe:
    """Find out how a table was computed: by its own metadata, else by the job.

    Raises:
        ClientError: The table does not say, or the version is not on this server.
    """
    if job is not None:
        view = client.jobs.get(job)
        if view.version is None:
            raise ClientError(f"Job {view.id} has classified nothing, so no table is its. Give another --job.")
        return Recipe(view.version, view.threshold)
    origin = read_origin(table)
    if "version_digest" not in origin:
        raise ClientError(f"{table} does not say what it was computed with. Export it as Parquet, or give --job JOB.")
    digest = origin["version_digest"]
    model = next((one for one in client.models.list() if one.digest == digest), None)
    if model is None:
        raise ClientError(f"This server has no model version with the digest {digest}, so it cannot compute {table}.")
    return Recipe(model.version, float(origin["threshold"]))


def draw_sample(table: Path, size: int, seed: int) -> list[Row]:
    """Draw rows at random, each content once, without files that were never sent.

    Source: Algorithm R of Vitter 1985, "Random sampling with a reservoir", ACM TOMS 11, 37-57.
    """
    chance, seen = random.Random(seed), set[str]()  # noqa: S311 - no secret
    sample: list[Row] = []
    for row in read_rows(table):
        sha256 = row.get("sha256")
        if not sha256:
            raise ClientError(f"{table}: expected a column sha256 with a value in each row.")
        if sha256 in seen or row.get("error_code") == NO_BYTES:
            continue
        seen.add(sha256)
        place = len(sample) if len(sample) < size else chance.randrange(len(seen))
        sample[place : place + 1] = [row] if place < size else sample[place : place + 1]
    return sample


def collect(client: Pawsort, sample: Iterable[Row], source: Path | None, target: Path) -> int:
    """Put the pictures of a sample into a folder, named by their SHA-256; those that are not found are left out.

    Args:
        source: Where they are on this disk; without it they come from the server.
    Returns:
        How many there are.
    """
    found = _from_folder(sample, source) if source else _from_server(client, sample)
    n = 0
    for sha256, data in found:
        (target / sha256).write_bytes(data)
        n += 1
    return n


def compare(sample: Iterable[Row], computed: Mapping[str, Result], tolerance: float) -> Comparison:
    """Compare rows of a table with new results, by SHA-256.

    Args:
        tolerance: How far two probabilities may be apart.
    """
    comparison = Comparison()
    for row in sample:
        if (result := computed.get(row["sha256"])) is not None:
            comparison.n_compared += 1
            _compare(comparison, row, result, tolerance)
    return comparison


def _compare(comparison: Comparison, row: Row, result: Result, tolerance: float) -> None:
    before = {name[2:]: float(row[name]) for name in row if _is_class(name) and row[name] not in (None, "")}
    now = result.probabilities or {}
    distance = max((abs(before.get(name, -1.0) - now.get(name, -1.0)) for name in {*before, *now}), default=0.0)
    recorded, computed = row["label"] or row["error_code"], result.label or result.error_code
    if before.keys() == now.keys():
        comparison.largest = max(comparison.largest, distance)
    if distance > tolerance or (not now and recorded != computed):
        difference = Difference(row["path"], row["sha256"], recorded, computed, before, now)
        comparison.differences.append(difference)
    elif recorded != computed:
        comparison.n_other_label += 1


def _is_class(name: str) -> bool:
    return name.startswith("p_") and name != "p_neither"


def _from_folder(sample: Iterable[Row], folder: Path) -> Iterator[tuple[str, bytes]]:
    files = ContentIndex(folder, FileHashes())
    for row in sample:
        for file in files.with_content(bytes.fromhex(row["sha256"]))[:1]:
            yield row["sha256"], file.read_bytes()


def _from_server(client: Pawsort, sample: Iterable[Row]) -> Iterator[tuple[str, bytes]]:
    for row in sample:
        if not row.get("image_id"):
            raise ClientError("The table has no column image_id. Give the folder with its pictures.")
        try:
            data = client.pictures.original(int(row["image_id"])).data
        except NotFound:  # deleted or discarded since
            continue
        if hashlib.sha256(data).hexdigest() == row["sha256"]:
            yield row["sha256"], data
