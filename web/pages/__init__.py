"""The pages: a package for each subject, a blueprint for each module, listed in `web.pages.registry`.

It imports `web.schemas` and what is below it, never `web.api`. Templates and scripts are sorted by the same
subjects.
"""
