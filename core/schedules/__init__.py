"""Schedules: cron lines, due times, and runs.

It imports `core.evaluation`, `core.ingest` and what is below them. Runs are worked on in `worker.schedules`.
"""
