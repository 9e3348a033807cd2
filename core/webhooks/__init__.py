"""Webhooks: signed messages to addresses of people's choice, out of an outbox that transactions write into.

It imports `core.accounts` and what is below it. Jobs, versions and schedules publish their events here.
"""
