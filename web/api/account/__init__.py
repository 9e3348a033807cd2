"""Your account: your tokens."""
