"""Exports of results: CSV, JSON Lines, Parquet, ZIP and a report. `web.exports.formats` lists them.

It imports `core` and `web.http`.
"""
