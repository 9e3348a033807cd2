"""The blob store, its errors, and the folders and buckets that the server may read by itself.

It imports `core.base` alone. Which blobs exist is in the tables (`core.orm`).
"""
