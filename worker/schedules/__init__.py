"""The work of schedules: starting due runs, and runs that retrain, classify new files or clean up.

It imports `worker.process`. Rows are in `core.schedules`.
"""
