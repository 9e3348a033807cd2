"""What goes in and out of the API, as types, a module for each subject. OpenAPI is written from them.

It imports `core`.
"""
