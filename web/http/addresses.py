"""Addresses of pages for people who are elsewhere: in links that are sent, and for the login provider."""

from typing import Any

from flask import url_for

from web.http.context import get_services


def page_address(endpoint: str, **values: Any) -> str:
    """The whole address of a page: below PAWSORT_PUBLIC_URL, else as this request reached the server."""
    public = get_services().settings.public_url
    if public:
        return public.rstrip("/") + url_for(endpoint, **values)
    return url_for(endpoint, _external=True, **values)
