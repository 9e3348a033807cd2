"""Files that exceed the quota are refused before any of them is sent."""

from collections import Counter
from unittest.mock import Mock

import pytest

from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Upload
from pawsort.uploads.sources import FileCounts
from pawsort.uploads.transfer import check_quota

COUNTS = FileCounts(n_files=1200, n_bytes=3_000_000, ignored=Counter())


def created(**limits: int | None) -> Upload:
    return decode(Upload, {"id": "id", "limits": limits})


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
    uploads = Mock(spec=Uploads)
    with pytest.raises(ClientError, match=sentence):
        check_quota(uploads, created(bytes_left=bytes_left, images_left=images_left), COUNTS)
    uploads.delete.assert_called_once_with("id")


@pytest.mark.parametrize(
    "upload", [created(bytes_left=3_000_000, images_left=1200), created(bytes_left=None, images_left=None), created()]
)
def test_what_fits_is_sent_also_to_servers_without_quotas(upload: Upload) -> None:
    uploads = Mock(spec=Uploads)
    check_quota(uploads, upload, COUNTS)
    uploads.delete.assert_not_called()
