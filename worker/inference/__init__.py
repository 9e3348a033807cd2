"""Classifying one chunk: claim, read, decode, predict, record.

It imports `worker.process`.
"""
