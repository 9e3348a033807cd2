"""The theme that a reader has chosen."""

from flask.testing import FlaskClient

from tests.support.login import csrf_in, send_login

DATABASES = ("sqlite",)  # nothing here depends on the kind
HTTPS = "https://localhost"


def test_the_cookie_over_https_can_be_set_by_this_host_alone(stranger: FlaskClient, token: str) -> None:
    send_login(stranger, HTTPS, token=token)
    page = stranger.get("/account", base_url=HTTPS).text
    assert 'data-cookie="__Host-theme"' in page
    form = {"csrf_token": csrf_in(page), "theme": "dark"}
    answer = stranger.post("/theme", base_url=HTTPS, data=form, headers={"Referer": f"{HTTPS}/account"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-theme=dark;")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert 'data-theme="dark"' in stranger.get("/account", base_url=HTTPS).text
