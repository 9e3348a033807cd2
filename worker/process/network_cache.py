"""The loaded networks of a worker process: fetched from the blob store, checked by digest, warmed up."""

import importlib.util
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.base import gpus
from core.base.database import Database
from core.base.errors import BadWeights, NotConverted
from core.base.network_catalog import NETWORKS
from core.decoding.pool.decoder_pool import processors
from core.models import conversions, registry
from core.orm.models import Conversion, ModelVersion
from core.storage.blobs import Blobs
from core.training import features
from worker.process.blob_cache import BlobCache

if TYPE_CHECKING:
    from model.artifacts.conversion import ConvertedBody
    from model.inference.classifier import Classifier
    from model.inference.devices import Device
    from model.inference.engine import Engine

log = structlog.get_logger()
MAX_LOADED = 3
ASK_S = 60.0


class NetworkCache:
    """The last few versions used, each loaded and warmed up once. TensorFlow is imported only for what it runs."""

    def __init__(self, db: Database, blobs: Blobs, folder: Path, n_sharing: int = 1) -> None:
        """Make an empty cache.

        Args:
            n_sharing: Number of processes that use the same GPU.
        """
        self._n_sharing = n_sharing
        self._device: Device | None = None
        self._db = db
        self._files = BlobCache(blobs, folder)
        self._loaded: OrderedDict[int, Classifier] = OrderedDict()
        self._ask_at: dict[int, float] = {}
        self._lock = threading.Lock()

    def get(self, version_id: int) -> "Classifier":
        """The network of a version, ready to predict.

        Raises:
            BadWeights: The weights are missing, are not those that the manifest names, or belong to an unknown network.
        """
        with self._lock:
            if version_id not in self._loaded or self._was_converted(version_id):
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
        """The device that networks run on. TensorFlow is not imported where there is no GPU."""
        from model.inference import devices

        if self._device is None:
            may_be_gpu = has_tensorflow() and gpus.may_be_there()
            self._device = devices.set_up(self._n_sharing) if may_be_gpu else devices.CPU
        return self._device

    def loaded_engine(self, version_id: int) -> "Engine | None":
        """What runs a loaded version."""
        loaded = self._loaded.get(version_id)
        return None if loaded is None else loaded.engine

    def _was_converted(self, version_id: int) -> bool:
        """Whether TensorFlow runs a loaded version that LiteRT can run by now; asked once a minute."""
        now = time.monotonic()
        if self._loaded[version_id].engine.name != "TensorFlow" or now < self._ask_at.get(version_id, 0.0):
            return False
        self._ask_at[version_id] = now + ASK_S
        with self._db.read() as session:
            version = registry.get_any(session, version_id)
        return version is not None and self.find_converted(version) is not None

    def _load(self, version_id: int) -> "Classifier":
        with self._db.read() as session:
            version = registry.get_version(session, version_id)
        classifier = self.open(version, n_threads=1)  # one process for each core is faster than one with threads
        if version.body is None:
            with self._db.write() as session:
                features.note_body(session, version_id, classifier.weights_body)
        classifier.warm_up()
        return classifier

    def open(self, version: ModelVersion, n_threads: int | None = None) -> "Classifier":
        """The network of a version, not cached: in LiteRT on a CPU if it was converted, else in TensorFlow.

        A light version runs in LiteRT alone. Where it cannot, its teacher answers for every image. Networks whose body
        is shipped in int8 alone run in LiteRT beside a GPU, too.

        Args:
            n_threads: None: one for each processor.
        Raises:
            BadWeights: As `get`.
            NotConverted: It needs TensorFlow, which is not installed here, until it has been converted.
        """
        from model.artifacts.manifest import Manifest
        from model.inference.classifier import Classifier

        teacher, converted = self._find_teacher(version), self.find_converted(version)
        accurate = None if teacher is None else self.open(teacher, n_threads)
        if accurate is not None and (converted is None or accurate.engine.name == "TensorFlow"):
            return accurate
        weights = self.weights(version)
        if converted is None:
            self._prepare_tensorflow(version, n_threads)
        try:
            manifest, threads = Manifest.from_dict(version.manifest), n_threads or processors()
            classifier = Classifier(
                manifest, weights, self.device(), converted=converted, n_threads=threads, teacher=accurate
            )
        except ValueError as error:  # made by a newer Pawsort, or edited by hand
            raise BadWeights(
                f"Model version {version.id} cannot be used here: {error}. Update Pawsort, or use another version."
            ) from error
        log.info(
            "network_opened", version=version.id, engine=classifier.engine.name, precision=classifier.engine.precision
        )
        return classifier

    def find_converted(self, version: ModelVersion) -> "ConvertedBody | None":
        """The converted body that runs a version here; None where TensorFlow does."""
        from model.artifacts.conversion import ConversionManifest, ConvertedBody

        conversion = self._find_conversion(version)
        if conversion is None or conversion.digest is None:
            return None
        what = f"converted layers of model version {version.id}"
        try:
            flatbuffer = self._files.fetch(conversion.digest, what)
            return ConvertedBody(ConversionManifest.from_dict(conversion.document), flatbuffer)
        except (BadWeights, ValueError) as error:
            log.warning("conversion_unusable", version=version.id, reason=str(error))
            return None

    def body_of(self, version: ModelVersion) -> str | None:
        """The body whose features a version uses here (`Classifier.body`); None until it has been loaded once."""
        teacher, converted = self._find_teacher(version), self.find_converted(version)
        if teacher is not None and (converted is None or self.find_converted(teacher) is None):
            return self.body_of(teacher)
        is_quantised = converted is not None and converted.manifest.is_quantised
        return converted.manifest.digest if converted and is_quantised else version.body

    def _find_teacher(self, version: ModelVersion) -> ModelVersion | None:
        with self._db.read() as session:
            return registry.find_teacher(session, version)

    def _find_conversion(self, version: ModelVersion) -> Conversion | None:
        from model.inference import devices, litert_engine

        if not litert_engine.is_installed() or not (_needs_litert(version) or self.device() == devices.CPU):
            return None
        with self._db.read() as session:
            return conversions.find(session, version.id)

    def _prepare_tensorflow(self, version: ModelVersion, n_threads: int | None) -> None:
        """Set the threads of TensorFlow, or say why the version cannot be used here."""
        if _needs_litert(version):
            raise BadWeights(
                f"Model version {version.id} needs LiteRT, since its layers are shipped in int8 alone. LiteRT is not"
                " installed here, or the layers are damaged. Use another version."
            )
        if has_tensorflow():
            if n_threads is not None:
                from model.inference.tensorflow_engine import configure_threads

                configure_threads(n_threads)
            return
        conversion = self._find_conversion(version)
        if conversion is None:
            raise NotConverted(
                f"Model version {version.id} waits for its conversion, since TensorFlow is not installed here. A"
                " training worker does it: start one."
            )
        reason = conversion.document.get("reason", "its converted layers are damaged")
        raise BadWeights(
            f"Model version {version.id} needs TensorFlow, which is not installed here: {reason}. Use another version,"
            " or install the packages of requirements/training.txt."
        )

    def weights(self, version: ModelVersion) -> bytes:
        """The weights of a version, from the disk or the blob store; checked in both cases.

        Raises:
            BadWeights: As `get`.
        """
        return self._files.fetch(version.digest, f"weights of model version {version.id}")


def _needs_litert(version: ModelVersion) -> bool:
    network = NETWORKS.get(version.network)
    return network is not None and network.needs_litert


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed; a worker that only serves on CPUs does without."""
    return importlib.util.find_spec("tensorflow") is not None
