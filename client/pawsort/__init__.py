"""The client: the command `pawsort` and the HTTP client. It talks to a server and never imports its code.

An installed server adds its commands, and the instance on this machine, with the entry points `pawsort.commands` and
`pawsort.instances` (see `instance`).
"""
