"""What is compiled once for all tests: SQL, templates and routes. Compiling them anew was half the work of a test.

Each test has an application and engines of its own, which keep what they compile. It depends on their sources alone,
which a store of the test run finds it by; what an application answers is the same with a store that is empty or full.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine import create_engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from core.base import database

N_STATEMENTS = 5000


@contextmanager
def compiled_once() -> Iterator[None]:
    """Databases and applications that are made meanwhile share what is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", _sharing_statements())
        # A statement is found by its dialect, too: `core.base.database` makes all engines of a kind in the same way.
        patch.setattr(DefaultDialect, "__hash__", lambda self: hash(type(self)))
        patch.setattr(DefaultDialect, "__eq__", lambda self, other: type(self) is type(other))
        patch.setitem(Flask.jinja_options, "bytecode_cache", _Templates())
        patch.setattr(Rule, "_compile_builder", _sharing_routes())
        yield


def _sharing_statements() -> Callable[..., Engine]:
    compiled: LRUCache[Any, Any] = LRUCache(N_STATEMENTS)

    def create(*words: Any, **options: Any) -> Engine:
        engine = create_engine(*words, **options)
        engine._compiled_cache = compiled
        return engine

    return create


class _Templates(BytecodeCache):
    """Jinja's own store, which knows a template by its name and the digest of its source, in memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        known = self._known.get((bucket.key, bucket.checksum))
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def _sharing_routes() -> Callable[[Rule, bool], Callable[..., tuple[str, str]]]:
    compile_anew = Rule._compile_builder
    known: dict[object, Callable[..., tuple[str, str]]] = {}

    def find_or_compile(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_anew(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in known:
            known[key] = compile_anew(rule, append_unknown)
        return known[key]

    return find_or_compile
