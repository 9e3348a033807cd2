"""Inputs and outputs of the API as pydantic models, a module for each subject. OpenAPI is generated from them.

It imports `core` and `web.exports`.
"""
