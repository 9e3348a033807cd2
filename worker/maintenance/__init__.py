"""The maintenance worker's periodic work: requeueing, deletion, supervision of Celery beat, discarding originals,
webhooks.

It imports `worker.process`.
"""
