"""What every request passes: login, host and CSRF checks, problems, multipart, the request context, OpenAPI.

It imports `core`. API and pages stand on it.
"""
