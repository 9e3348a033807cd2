"""What every request goes through: login, host and CSRF checks, errors, forms with files, ETags, OpenAPI.

It imports `core`. API and pages use it.
"""
