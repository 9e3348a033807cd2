"""What inference workers do with jobs, done here and now."""

from worker.inference import classification
from worker.process.runtime import Runtime


def sort_all(runtime: Runtime) -> None:
    """Classify every chunk that is ready."""
    while classification.classify_next(runtime):
        pass
