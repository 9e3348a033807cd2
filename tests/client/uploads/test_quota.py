"""Files that exceed the quota are refused before any of them is sent."""

from collections import Counter
from unittest.mock import create_autospec

import pytest

from pawsort.api.answers import Upload
from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.uploads.sources import FileCounts
from pawsort.uploads.transfer import check_quota

COUNTS = FileCounts(n_files=1200, n_bytes=3_000_000, ignored=Counter())


def created(bytes_left: int | None, images_left: int | None) -> Upload:
    limits = {"bytes_left": bytes_left, "images_left": images_left}
    return {"limits": limits, "skipped": [], "originals": "kept"}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("bytes_left", "images_left", "sentence"),
    [
        (2_500_000, None, r"These files have 3\.0 MB, and your quota on the server has room for 2\.5 MB"),
        (None, 1000, "These are 1,200 files, and your quota on the server has room for 1,000"),
    ],
)
def test_what_does_not_fit_is_refused_and_its_upload_deleted(
    bytes_left: int | None, images_left: int | None, sentence: str
) -> None:
    client = create_autospec(PawsortClient, instance=True)
    with pytest.raises(ClientError, match=sentence):
        check_quota(client, "id", created(bytes_left, images_left), COUNTS)
    client.delete_upload.assert_called_once_with("id")


@pytest.mark.parametrize(
    "upload", [created(3_000_000, 1200), created(None, None), {"skipped": [], "originals": "kept"}]
)
def test_what_fits_is_sent_also_to_servers_without_quotas(upload: Upload) -> None:
    client = create_autospec(PawsortClient, instance=True)
    check_quota(client, "id", upload, COUNTS)
    client.delete_upload.assert_not_called()
