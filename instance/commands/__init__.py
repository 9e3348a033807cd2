"""The subcommands of `pawsort` that need an installation, one module each. Joined by entry points.

It imports the other packages of `instance`.
"""
