"""The example that people can try without pictures of their own: a dozen drawings, and the script that draws them.

It imports `core`.
"""
