"""Classify so that at most one label in a hundred is wrong: python threshold_by_promise.py photos/"""

import sys

from pawsort import Pawsort

with Pawsort() as client:
    model = next(model for model in client.models.list() if model.in_use)
    promise = client.models.threshold(model.version, max_error=0.01)
    job = client.classify(sys.argv[1], model=model.version, threshold=promise.threshold).wait()

print(f"At most {promise.error_high:.2%} of the labels are wrong; {promise.coverage:.0%} of such pictures get one.")
print(job.counts.by_label)
