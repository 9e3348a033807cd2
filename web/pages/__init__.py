"""The pages: a package for each subject, a blueprint for all of them (`web.pages.blueprint`).

It imports `web.exports`, `web.receiving` and `web.http`, never `web.api`. Templates and scripts
lie by the same subjects.
"""
