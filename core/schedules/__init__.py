"""Schedules: cron lines, due times, and runs.

It imports every other package of core. Runs are worked on in `worker.schedules`.
"""
