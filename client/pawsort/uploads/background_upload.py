"""An upload in a thread of its own, while the program does something else."""

import threading
from collections import Counter
from collections.abc import Callable

from pawsort.api.errors import ClientError
from pawsort.uploads.shards import Shard
from pawsort.uploads.sources import SkippedPath


class BackgroundUpload:
    """One upload: its thread, its error, and what has arrived so far.

    Attributes:
        skipped: Paths that were not uploaded, and why.
        ignored: Files that systems and tools left behind and that were not uploaded, by kind.
        n_in_order: How many images have arrived without a gap, from the first one on.
    """

    def __init__(self, first_seq: int = 0, n_in_order: int = 0) -> None:
        self.skipped: list[SkippedPath] = []
        self.ignored = Counter[str]()
        self.n_in_order = n_in_order
        self._next_seq = first_seq
        self._n_files: dict[int, int] = {}
        self._error: ClientError | None = None
        self._thread: threading.Thread | None = None

    def start(self, send: Callable[[], object]) -> None:
        """Send in a thread."""
        self._thread = threading.Thread(target=self._run, args=(send,), name="upload", daemon=True)
        self._thread.start()

    def _run(self, send: Callable[[], object]) -> None:
        try:
            send()
        except ClientError as error:
            self._error = error
        except Exception as error:  # whatever it is, somebody waits for the end of the upload
            self._error = ClientError(f"The upload failed ({type(error).__name__}: {error}).")

    @property
    def is_finished(self) -> bool:
        """Whether everything was sent, or an error ended it."""
        return self._thread is None or not self._thread.is_alive()

    def check(self) -> None:
        """Raise the error that ended the upload, if one did."""
        if self._error is not None:
            raise self._error

    def join(self) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join()

    def note(self, shard: Shard) -> None:
        """Note that the server has stored a shard."""
        self._n_files[shard.seq] = shard.n_files
        while self._next_seq in self._n_files:
            self.n_in_order += self._n_files.pop(self._next_seq)
            self._next_seq += 1
