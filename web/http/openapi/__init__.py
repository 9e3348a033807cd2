"""The description of the API: OpenAPI 3.1 at /openapi.json, and a page for people, without scripts, at /docs.

APIFlask makes it from the views and their schemas; `document` completes what it cannot know.
"""
