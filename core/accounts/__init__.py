"""People: their roles and rights, passwords, sessions, tokens and invitations, and the audit log.

It imports `core.base` and `core.orm`. Requests are authenticated in `web.http.auth`.
"""
