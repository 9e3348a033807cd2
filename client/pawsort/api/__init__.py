"""The HTTP interface as Python calls, with retries and errors.

It imports no other package of the client.
"""
