"""The subcommands that need nothing but a server, one module each. Imported when called.

It imports everything else of the client. Commands of a local instance are in `instance.commands`.
"""
