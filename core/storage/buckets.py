"""Buckets of S3, Google Cloud and Azure: addresses, taken apart once, and stores opened from the parts.

An address that was checked never reaches a second parser: one for web addresses would take `%2e%2e` for `..`.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import NamedTuple, Self

from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from core.base.config import read_file_of
from core.storage.store_errors import check_endpoint

STORES = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
# A connection that is not used is not kept for as long as one that stops answering.
CLIENT = {"connect_timeout": timedelta(seconds=5), "pool_idle_timeout": timedelta(seconds=15), "allow_http": True}
# Keys that may be in files (`AWS_SECRET_ACCESS_KEY_FILE`); the library reads them from variables only.
KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "gs": ("GOOGLE_SERVICE_ACCOUNT_KEY",),
    "az": ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_CLIENT_SECRET"),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_IN_PREFIXES = frozenset("%?#\\")  # what parsers of web addresses decode or cut at


class Limits(NamedTuple):
    """Time limits of requests. After `answer_s` there is time for another try.

    Attributes:
        answer_s: How long a store may send nothing. The client starts counting before it sends what it has to send.
        whole_s: For a whole request.
    """

    answer_s: float
    whole_s: float


READING = Limits(20, 600)
WRITING = Limits(60, 60)  # so long a part of a blob may take over a slow line
ANOTHER_TRY = timedelta(seconds=5)
RETRIES = {"max_retries": 5}


@dataclass(frozen=True)
class BucketPrefix:
    """A prefix in a bucket.

    Attributes:
        scheme: A key of STORES.
        bucket: The bucket's name; for Azure the container's.
        prefix: Its folders with `/` between them; empty for the whole bucket.
    """

    scheme: str
    bucket: str
    prefix: str

    @classmethod
    def parse(cls, address: str) -> Self:
        """Take an address apart.

        Args:
            address: `s3://bucket/prefix`, also `gs://` and `az://`; a final slash does not count.
        Raises:
            ValueError: It is none, or has characters or segments with a meaning in web addresses.
        """
        scheme, _, rest = address.rstrip("/").partition("://")
        bucket, slash, prefix = rest.partition("/")
        is_address = scheme in STORES and _NAME.fullmatch(bucket) is not None
        if not is_address or (slash and {"", ".", ".."} & set(prefix.split("/"))):
            raise ValueError(f"expected s3://bucket/prefix (or gs://, az://); got {address!r}.")
        if not prefix.isprintable() or _NOT_IN_PREFIXES & set(prefix):
            raise ValueError(f"a prefix in a bucket cannot have %, ?, #, \\ or control characters; got {address!r}.")
        return cls(scheme, bucket, prefix)

    def is_below(self, root: "BucketPrefix") -> bool:
        """Whether it is `root` or a folder in it."""
        same_bucket = (self.scheme, self.bucket) == (root.scheme, root.bucket)
        return same_bucket and PurePosixPath(self.prefix).is_relative_to(root.prefix)

    def __str__(self) -> str:
        """Its address, without a final slash."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def open_bucket(place: BucketPrefix, limits: Limits = READING) -> ObjectStore:
    """A store of what is below a prefix.

    Address and keys come from the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …), keys also from files that it
    names (AWS_ACCESS_KEY_ID_FILE).

    Raises:
        ValueError: The store would open another prefix than this one.
        ConfigError: The endpoint is no address, or a file with a key cannot be read.
        obstore.exceptions.BaseError: The environment lacks what this kind of store needs.
    """
    check_endpoint()
    keys = {name.lower(): value for name in KEYS[place.scheme] if (value := read_file_of(name)) is not None}
    answer, whole = (timedelta(seconds=one) for one in limits)
    store: S3Store | GCSStore | AzureStore = STORES[place.scheme](
        place.bucket,
        prefix=place.prefix or None,
        config=keys,
        client_options={**CLIENT, "read_timeout": answer, "timeout": whole},
        retry_config={"retry_timeout": answer + ANOTHER_TRY, **RETRIES},
    )
    if (store.prefix or "") != place.prefix:
        raise ValueError(f"{place} would be opened as {store.prefix!r}.")
    return store
