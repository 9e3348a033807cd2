"""Limits of each request: how often somebody may ask, how much they may send, and what runs at once.

It imports other modules of `web.http`, and `core.accounts.limits`.
"""
