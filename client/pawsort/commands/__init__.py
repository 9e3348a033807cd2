"""The client's subcommands by subject, one module each. They need nothing but a server, and are imported when called.

It imports every other package of the client. The commands of an installation are in `instance.commands`.
"""
