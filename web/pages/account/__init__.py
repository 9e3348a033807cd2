"""Logging in and out, and the account of the person who is logged in."""
