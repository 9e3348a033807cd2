"""The tables, a module for each subject; `core.orm.tables` imports all of them. The words: docs/architecture.md.

It imports `core.base` alone. Services (`core.jobs`, `core.labels`, ...) read and write what is defined here.
"""
