"""Schedules at work: the tick, and runs that retrain, classify new files or clean up.

It imports `worker.process`. Rows are in `core.schedules`.
"""
