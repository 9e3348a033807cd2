"""The client: the command `pawsort` and the HTTP client. It talks to a server and never imports its code.

Commands of a local instance join by the entry points `pawsort.commands` and `pawsort.instances` (see `instance`).
"""
