"""A folder as a data frame: python folder_to_frame.py photos/"""

import sys

from pawsort import Pawsort

with Pawsort() as client:
    frame = client.classify(sys.argv[1]).to_pandas()

frame.to_csv("photos.csv", index=False)
print(frame.groupby("label")["confidence"].describe())
