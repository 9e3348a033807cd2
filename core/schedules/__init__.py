"""Schedules: cron lines, when they come due, and their runs.

It imports every other package of core. Runs are worked on in `worker.schedules`.
"""
