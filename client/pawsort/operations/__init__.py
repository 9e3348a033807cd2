"""The operations of the HTTP interface, a module for each subject. Each is described once, as a call.

It imports `pawsort.api` and `pawsort.schemas`.
"""
