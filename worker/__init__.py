"""Celery workers: the application, its tasks, and their work. The only place where rows and arrays meet.

It imports `core` and `model`, never `web` or the client.
"""
