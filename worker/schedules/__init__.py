"""The work of schedules: starting due runs, and runs that retrain, classify new files, clean up or back up.

It imports `worker.process`. Rows are in `core.schedules`.
"""
