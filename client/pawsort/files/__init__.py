"""Files on the user's own disk: exports, tables of labels, sorting pictures into folders, reading the folders as
corrections.

It imports `pawsort.uploads` and what is below it.
"""
