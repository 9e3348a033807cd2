"""API: your account, with its tokens, sessions and usage."""
