"""Addresses of buckets: taken apart once, and opened as exactly the prefix that they name."""

from itertools import product

import pytest

from core.base.errors import ConfigError
from core.storage import buckets
from core.storage.blobs import Blobs
from core.storage.buckets import BucketPrefix, open_bucket

DOTS = [".", "%2e", "%2E"]  # what the URL standard takes for a dot
DOT_SEGMENTS = [*DOTS, *("".join(pair) for pair in product(DOTS, DOTS))]
REMOVED = ["\t", "\n", "\r"]  # and what it removes before it looks
ENDS = ["?", "#", "?/..", "#/.."]


@pytest.fixture(autouse=True)
def azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "tests")


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
@pytest.mark.parametrize("address", ["bucket", "bucket/in", "my.bucket_1/a b/Ünï/x=1&y+z@2:3~*"])
def test_a_store_has_exactly_the_prefix_of_its_address(scheme: str, address: str) -> None:
    place = BucketPrefix.parse(f"{scheme}://{address}/")
    assert str(place) == f"{scheme}://{address}"
    store = open_bucket(place)
    assert (store.prefix or "") == address.partition("/")[2]


@pytest.mark.parametrize("segment", [*DOT_SEGMENTS, *(f".{mark}." for mark in REMOVED), "..\\", "%2f..", "%", *ENDS])
@pytest.mark.parametrize("address", ["s3://bucket/in/{}/secret", "s3://bucket/in/{}", "s3://bucket/{}/in", "gs://b/{}"])
def test_what_another_parser_would_read_differently_is_refused(segment: str, address: str) -> None:
    with pytest.raises(ValueError, match=r"expected s3://|a prefix in a bucket cannot have"):
        BucketPrefix.parse(address.format(segment))


@pytest.mark.parametrize(
    "address",
    ["s3://", "s3:///in", "s3://user@bucket/in", "s3://bucket//in", "s3://b:80/in", "s3://%62/in", "http://b/in", "in"],
)
def test_what_names_no_bucket_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="expected s3://bucket/prefix"):
        BucketPrefix.parse(address)


def test_a_store_with_another_prefix_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        def __init__(self, bucket: str, **options: object) -> None:
            self.prefix = "secret"

    monkeypatch.setitem(buckets.STORES, "s3", Elsewhere)
    with pytest.raises(ValueError, match="would be opened as 'secret'"):
        open_bucket(BucketPrefix.parse("s3://bucket/in"))


def test_blobs_are_not_opened_at_an_address_with_escapes() -> None:
    with pytest.raises(ConfigError, match=r"PAWSORT_BLOB_URL: .*cannot have %"):
        Blobs("s3://bucket/in/%2e%2e/secret")
