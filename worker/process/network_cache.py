"""The loaded networks of a worker process: fetched from the blob store, checked by digest, warmed up."""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from core.base.database import Database
from core.base.errors import BadWeights
from core.models import registry
from core.orm.models import ModelVersion
from core.storage.blobs import Blobs
from core.training import features

if TYPE_CHECKING:
    from model.inference.classifier import Classifier
    from model.inference.devices import Device

MAX_LOADED = 3
MAX_FILES = 20  # weights files on the disk


class NetworkCache:
    """The last few versions used, each loaded and warmed up once. TensorFlow is imported with the first."""

    def __init__(self, db: Database, blobs: Blobs, folder: Path, n_sharing: int = 1) -> None:
        """Make an empty cache.

        Args:
            n_sharing: Number of processes that use the same GPU.
        """
        self._n_sharing = n_sharing
        self._device: Device | None = None
        self._db = db
        self._blobs = blobs
        self._folder = folder
        self._loaded: OrderedDict[int, Classifier] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version_id: int) -> "Classifier":
        """The network of a version, ready to predict.

        Raises:
            BadWeights: The weights are missing, are not those that the manifest names, or belong to an unknown network.
        """
        with self._lock:
            if version_id not in self._loaded:
                self._loaded[version_id] = self._load(version_id)
                while len(self._loaded) > MAX_LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version_id)
            return self._loaded[version_id]

    @property
    def loaded(self) -> list[int]:
        """The versions that are loaded and warmed up."""
        return list(self._loaded)

    def device(self) -> "Device":
        """The device that the networks run on."""
        from model.inference import devices

        if self._device is None:
            self._device = devices.set_up(self._n_sharing)
        return self._device

    def uses_halves(self, version_id: int) -> bool:
        """Whether a version is loaded and computes with float16."""
        loaded = self._loaded.get(version_id)
        return loaded is not None and loaded.engine.precision == "float16"

    def _load(self, version_id: int) -> "Classifier":
        from model.inference.tensorflow_engine import configure_threads

        configure_threads(1)  # one process for each core is faster than one process with threads
        with self._db.read() as session:
            version = registry.get_version(session, version_id)
        classifier = self.open(version)
        if version.body is None:
            with self._db.write() as session:
                features.note_body(session, version_id, classifier.body)
        classifier.warm_up()
        return classifier

    def open(self, version: ModelVersion) -> "Classifier":
        """The network of a version, not cached, with the number of threads that this process has.

        Raises:
            BadWeights: As `get`.
        """
        from model.artifacts.manifest import Manifest
        from model.inference.classifier import Classifier

        weights = self.weights(version)
        try:
            return Classifier(Manifest.from_dict(version.manifest), weights, self.device())
        except ValueError as error:  # made by a newer Pawsort, or edited by hand
            raise BadWeights(
                f"Model version {version.id} cannot be used here: {error}. Update Pawsort, or use another version."
            ) from error

    def weights(self, version: ModelVersion) -> bytes:
        """The weights of a version, from the disk or the blob store; checked in both cases.

        Raises:
            BadWeights: As `get`.
        """
        path = self._folder / version.digest
        if path.exists() and _digest(weights := path.read_bytes()) == version.digest:
            return weights
        weights = registry.fetch_weights(self._blobs, version)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{token_hex(4)}")
        part.write_bytes(weights)
        part.replace(path)
        self._trim()
        return weights

    def _trim(self) -> None:
        """Delete the files that were fetched longest ago; the blob store has all versions."""
        files = [(path.stat().st_mtime, path) for path in self._folder.iterdir() if not path.suffix]
        for _, path in sorted(files)[:-MAX_FILES]:
            path.unlink(missing_ok=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
