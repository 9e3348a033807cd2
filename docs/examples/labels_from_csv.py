"""Import labels from a table with the columns sha256 and label: python labels_from_csv.py labels.csv"""

import csv
import sys
from uuid import uuid4

from pawsort import Pawsort

batch = str(uuid4())
with Pawsort() as client, open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = [{"sha256": row["sha256"], "label": row["label"]} for row in csv.DictReader(file)]
    added = client.labels.add(rows, batch=batch)
print(f"{added.n_labels} labels added, {len(added.unknown)} contents unknown. To undo: labels.undo_batch('{batch}')")
