"""What the maintenance worker does beside schedules: reconciling, watching beat, discarding originals.

It imports `worker.process`.
"""
