"""The web server: the HTTP API and the pages. `web.app` puts it together.

It imports `core`, never TensorFlow, `model` or `worker`.
"""
