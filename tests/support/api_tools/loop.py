"""The whole loop with a client that openapi-python-client has generated: `loop.py ADDRESS TOKEN TAR`; prints JSON."""

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from generated import AuthenticatedClient
from generated.api.jobs import create_job, get_job
from generated.api.labels import add_labels, list_image_labels
from generated.api.results import export_csv, export_parquet, list_results
from generated.api.uploads import complete_upload, create_upload, upload_archive, upload_shard
from generated.models import (
    CompleteIn,
    JobIn,
    JobState,
    LabelIn,
    LabelsIn,
    PersonsLabel,
    UploadIn,
)
from generated.types import File

address, token, path = sys.argv[1:]
tar = Path(path).read_bytes()
client = AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True)

upload_id, job_id = uuid4(), uuid4()
create_upload.sync(upload_id, client=client, body=UploadIn(name="photos"))
upload_shard.sync(upload_id, 0, client=client, body=File(payload=BytesIO(tar)))
complete_upload.sync(upload_id, client=client, body=CompleteIn(n_shards=1))
create_job.sync(job_id, client=client, body=JobIn(upload=upload_id))
while (job := get_job.sync(job_id, client=client)).state not in (JobState.DONE, JobState.FAILED):
    time.sleep(0.2)
results = list_results.sync(job_id, client=client).items
first = results[0].image_id
add_labels.sync(client=client, body=LabelsIn(items=[LabelIn(image_id=first, label=PersonsLabel.DOG)]))
labels = list_image_labels.sync(first, client=client).items
table = export_csv.sync(job_id, client=client)
archive = upload_archive.sync(client=client, body=File(payload=BytesIO(tar)), name="archive")
unknown = get_job.sync(uuid4(), client=client)
print(
    json.dumps(
        {
            "state": str(job.state),
            "n_images": job.counts.n_images,
            "paths": [result.path for result in results],
            "label": str(labels[0].label),
            "csv": table if isinstance(table, str) else table.payload.read().decode(),
            "parquet": export_parquet.sync(job_id, client=client).payload.read()[:4].decode(),
            "archive": archive.name,
            "unknown": str(unknown.code),
        }
    )
)
