"""Passwords: which ones are accepted, how they are hashed, and whose they are.

The hashing library is in the web's installation only, so nothing but the web and tests imports this package.
"""
