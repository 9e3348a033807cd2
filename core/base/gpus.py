"""Which GPUs this process may use, found without TensorFlow, which a process that starts others must not load."""

import os
from pathlib import Path

from core.base.errors import ConfigError

VISIBLE = "CUDA_VISIBLE_DEVICES"
DRIVER = Path("/proc/driver/nvidia/gpus")


def list_gpus(driver: Path = DRIVER) -> list[str]:
    """The GPUs by the names that CUDA_VISIBLE_DEVICES takes; as CUDA does, what follows a -1 there does not count."""
    visible = os.environ.get(VISIBLE)
    if visible is None:
        return [str(number) for number, _ in enumerate(driver.iterdir())] if driver.is_dir() else []
    names: list[str] = []
    for name in (part.strip() for part in visible.split(",")):
        if name in ("", "-1"):
            break
        names.append(name)
    return names


def may_be_there(driver: Path = DRIVER) -> bool:
    """Whether TensorFlow may find a GPU. To ask it takes seconds and hundreds of megabytes."""
    if os.environ.get(VISIBLE) is not None:
        return bool(list_gpus(driver))
    return driver.is_dir() or any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))


def check_gpus(driver: Path = DRIVER) -> None:
    """See that this machine has the GPUs that CUDA_VISIBLE_DEVICES names; CUDA would silently do without.

    Raises:
        ConfigError: One of them is not there.
    """
    n_gpus = sum(1 for _ in driver.iterdir()) if driver.is_dir() else 0
    for name in list_gpus(driver):
        if n_gpus and name.isdecimal() and int(name) >= n_gpus:
            raise ConfigError(f"{VISIBLE}: there is no GPU {name}; this machine has {n_gpus}, counted from 0.")


def claim_gpu(slot: int, driver: Path = DRIVER) -> str | None:
    """Let this process see one GPU alone, in turn by its number among the processes; before TensorFlow is imported.

    Returns:
        The name of the GPU; None where there is none.
    """
    gpus = list_gpus(driver)
    if not gpus:
        return None
    os.environ[VISIBLE] = gpus[slot % len(gpus)]
    return os.environ[VISIBLE]
