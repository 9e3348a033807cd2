"""The broker: queues, the names of tasks, and sending messages. The one package of core that imports Celery.

It imports `core.base` alone. The tasks themselves are in `worker.tasks`.
"""
