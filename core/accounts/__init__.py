"""People and their tokens.

It imports `core.base` and `core.orm`. Requests are authenticated in `web.http.auth`.
"""
