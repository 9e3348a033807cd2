"""People and their tokens.

It imports `core.base` and `core.orm`. Who is asking is found out in `web.http.auth`.
"""
