"""The subcommands of `pawsort` that need an installation, one module each. pyproject.toml lists them as entry points.

It imports the other packages of `instance`.
"""
