"""Who sends a request: its bearer token or session, the CSRF token of a session.

`web.http.auth` decides with it.
"""
