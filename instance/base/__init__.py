"""What supervisor, services and administration share: the data directory, its lock, programs, migrating, errors.

It imports `core`, `migrations` and the client's errors.
"""
