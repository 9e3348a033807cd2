"""The parts of one worker process: settings, database, blobs, broker, and loaded networks.

There is one runtime for each process, and every task passes it on. Connections are opened on first use, so a parent
that only spawns children opens none.
"""

import os
import platform
import sys
from functools import cache, cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
from redis import Redis

from core.base import gpus as gpus_of
from core.base.config import Settings, load_settings
from core.base.database import Database
from core.base.errors import BadWeights, NotConverted
from core.decoding.pool.decoder_pool import DecoderPool, processors
from core.messaging.broker import INFERENCE, TRAINING, TaskSender, connect, make_celery
from core.models import registry
from core.operations import workers
from core.operations.alive_file import AliveFile
from core.operations.instance_record import find_servers
from core.operations.metrics import Meter
from core.storage.blobs import Blobs
from worker.process.code_version import installed_version
from worker.process.decoding import open_pool
from worker.process.heartbeat import Heartbeat
from worker.process.network_cache import NetworkCache
from worker.process.turns import Turns

if TYPE_CHECKING:
    from model.inference.classifier import Classifier

log = structlog.get_logger()
POOL_SIZE = 6  # the task, the next chunk, two side lanes, the heartbeat, one to spare
NICENESS_OF_SLOW = 19


class Runtime:
    """The parts of a worker process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meter = Meter()
        self.heartbeat: Heartbeat | None = None
        self.predicting = Turns()  # side lanes use the same networks

    @cached_property
    def db(self) -> Database:
        """Sessions of this process."""
        return Database(self.settings.sql_url, POOL_SIZE)

    @cached_property
    def blobs(self) -> Blobs:
        """Bytes of shards and weights."""
        return Blobs(self.settings.store_url)

    @cached_property
    def tasks(self) -> TaskSender:
        """Sends messages to other workers."""
        return TaskSender(make_celery(self.settings))

    @cached_property
    def redis(self) -> Redis:
        """For the lengths of queues."""
        return connect(self.settings)

    @cached_property
    def networks(self) -> NetworkCache:
        """The loaded networks."""
        folder = self.settings.data_dir / "cache" / "models"
        return NetworkCache(self.db, self.blobs, folder, max(self.settings.processes_per_gpu, 1))

    @cached_property
    def decoders(self) -> DecoderPool:
        """The children that decode for this process: its part of the processors, unless the settings say otherwise."""
        n_children = self.settings.decode_processes or processors() // self.settings.inference_processes
        return open_pool(self.settings, max(1, n_children))

    @cached_property
    def slow_decoders(self) -> DecoderPool:
        """One child at the lowest priority, for what takes long."""
        return open_pool(self.settings, 1, NICENESS_OF_SLOW)

    def classifier(self, version_id: int) -> "Classifier":
        """The network of a version, loaded and warmed up."""
        return self.networks.get(version_id)

    def warm_versions(self) -> list[int]:
        """The versions whose networks are loaded."""
        return self.networks.loaded

    def start(self, queue: str) -> None:
        """Prepare for the work of a queue (for inference: load the version in use), then record this worker."""
        device, engine = "cpu", ""
        if queue == INFERENCE:
            device, engine = self._warm_up()
        elif queue == TRAINING:
            device = self._name_gpus()
        with self.db.write() as session:
            worker_id = workers.add_worker(session, os.getpid(), queue, device, _versions(engine))
        beat_s, lease_s = self.settings.heartbeat_s, self.settings.lease_s
        folder = self.settings.data_dir
        alive_files = (AliveFile(folder, queue), AliveFile.of_process(folder, queue, os.getpid()))
        self.heartbeat = Heartbeat(self.db, worker_id, beat_s, lease_s, self.meter, alive_files)
        self.heartbeat.start()
        log.info("worker_ready", worker_id=worker_id, queue=queue, device=device, engine=engine)

    def _warm_up(self) -> tuple[str, str]:
        """Load the version in use. Returns the device that it runs on, and what runs it.

        A version that cannot be used fails its own jobs with a message; this process can work on others.
        """
        with self.db.read() as session:
            in_use = registry.current_version(session)
        try:
            self.classifier(in_use.id)
        except (BadWeights, NotConverted) as error:
            log.error("version_unusable", version=in_use.id, reason=error.message)
        device = self.networks.device().name
        if self.settings.processes_per_gpu and device == "cpu":
            log.warning("no_gpu", note="PAWSORT_PROCESSES_PER_GPU is set, but no GPU can be used; running on the CPU")
        engine = self.networks.loaded_engine(in_use.id)
        if engine is not None and engine.precision == "float16":
            device += ", half precision"
        return device, self.name_engine(in_use.id)

    def name_engine(self, version_id: int) -> str:
        """What runs a loaded version, with its own version: "LiteRT 2.3.0, int8"; empty if it is not loaded."""
        engine = self.networks.loaded_engine(version_id)
        if engine is None:
            return ""
        if engine.name == "TensorFlow":
            return f"TensorFlow {sys.modules['tensorflow'].__version__}"
        return f"{engine.name} {version('ai-edge-litert')}, {engine.precision}"

    def _name_gpus(self) -> str:
        """The device of trainings, found without TensorFlow, which each training process imports by itself."""
        gpus = gpus_of.list_gpus() if self.settings.processes_per_gpu else []
        return f"set to gpu {', '.join(gpus)}" if gpus else "cpu"

    def stop(self) -> None:
        """End the decoders, and record that this process has stopped."""
        for name in ("decoders", "slow_decoders"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if self.heartbeat is not None:
            self.heartbeat.stop()


@cache
def get() -> Runtime:
    """The runtime of this process, built from the environment at the first call.

    Celery's own commands find the broker of the instance that runs here without its address in the environment.
    """
    return Runtime(find_servers(load_settings()))


def _versions(engine: str) -> dict[str, str]:
    known = {"python": platform.python_version(), "pawsort": installed_version()}
    return known | ({"engine": engine} if engine else {})
