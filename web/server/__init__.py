"""The web server below the application: gunicorn's worker and log.

It imports `core.base` and `core.operations` only. `instance.base.programs` names its classes in gunicorn's options.
"""
