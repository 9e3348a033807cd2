"""The pages of webhooks: everything works with forms alone."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts import accounts
from core.base.database import Database
from core.orm.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from tests.support.actors import make_token
from tests.support.login import csrf_in, log_in
from web.app import App

DATABASES = ("sqlite",)  # pages do not differ between databases

LIST = "/account/webhooks"
URL = "https://example.org/hook"


@pytest.fixture
def ada(app: App, db: Database) -> FlaskClient:
    """A member with a browser."""
    client = app.test_client()
    log_in(client, make_token(db, "ada"))
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


def post(client: FlaskClient, path: str, **fields: object) -> str:
    csrf = csrf_in(client.get("/account").text)
    return client.post(path, data={"csrf_token": csrf, **fields}, follow_redirects=True).text


def add(client: FlaskClient) -> str:
    post(client, LIST, name="archive", url=URL, event=["job.done"])
    found = re.search(rf'href="({LIST}/\d+)"', client.get(LIST).text)
    assert found is not None
    return found[1]


def test_the_account_page_leads_there_and_a_new_webhook_shows_its_secret_once(ada: FlaskClient) -> None:
    assert f'href="{LIST}"' in ada.get("/account").text
    page = post(ada, LIST, name="archive", url=URL, event=["job.done"])
    assert re.search(r'id="secret" value="whsec_[^"]+"', page)
    for shown in (ada.get(LIST).text, ada.get(add(ada)).text):
        assert URL in shown
        assert "whsec_" not in shown


def test_a_wrong_form_is_shown_again_with_the_reason(ada: FlaskClient) -> None:
    page = post(ada, LIST, name="archive", url="https://10.0.0.1/", event=["job.failed"])
    assert "inside the network of the server" in page
    assert 'value="https://10.0.0.1/"' in page
    assert 'value="job.failed" checked' in page
    one = add(ada)
    assert "https on port 443" in post(ada, one, name="archive", url="http://example.org/")


def test_a_webhook_is_changed_switched_given_a_new_secret_and_deleted(ada: FlaskClient, db: Database) -> None:
    one = add(ada)
    assert "backup hall" in post(ada, one, name="backup hall", url=URL)
    assert "Turn on" in post(ada, f"{one}/switch", is_on="0")
    assert "Turn off" in post(ada, f"{one}/switch", is_on="1")
    assert "whsec_" in post(ada, f"{one}/rotate")
    assert "Keep it" in ada.get(f"{one}/delete").text
    assert "backup hall" not in post(ada, f"{one}/delete")
    with db.read() as session:
        row = session.scalars(select(WebhookEndpoint)).one()
        assert (row.deleted_at is not None, row.events) == (True, [])


def test_what_was_sent_is_listed_filtered_and_sent_again(ada: FlaskClient, db: Database) -> None:
    one = add(ada)
    assert "Nothing was sent yet" in ada.get(one).text
    assert "webhook.test" in post(ada, f"{one}/test")
    with db.write() as session:
        delivery = session.scalars(select(WebhookDelivery)).one()
        delivery.state = "failed"
        attempt = {"duration_s": 0.25, "status": 500, "error": None, "answer": "<b>no</b>"}
        session.add(WebhookAttempt(delivery_id=delivery.id, **attempt))
    page = ada.get(f"{one}?state=failed").text
    assert "500" in page
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "Nothing matches these filters" in ada.get(f"{one}?state=delivered&event=job.done").text
    delivery_page = f"{one}/deliveries/{delivery.id}"
    assert "&#34;type&#34;: &#34;webhook.test&#34;" in ada.get(delivery_page).text
    assert "Send it now" in post(ada, f"{delivery_page}/replay")
    with db.write() as session:
        session.get_one(WebhookDelivery, delivery.id).state = "failed"
    assert "Waiting" in post(ada, f"{one}/replay")


def test_only_admins_are_offered_everybodys_events(ada: FlaskClient, browser: FlaskClient, db: Database) -> None:
    assert 'name="everybody"' not in ada.get(LIST).text
    assert 'name="everybody"' in browser.get(LIST).text
    post(browser, LIST, name="all", url=URL, everybody="1")
    with db.read() as session:
        assert session.scalars(select(WebhookEndpoint)).one().is_for_everybody


def test_a_webhook_of_somebody_disabled_says_why_nothing_is_sent(
    ada: FlaskClient, browser: FlaskClient, db: Database
) -> None:
    post(ada, LIST, name="mine", url=URL)
    with db.write() as session:
        accounts.get_or_create_user(session, "ada").disabled_at = (
            session.scalars(select(WebhookEndpoint)).one().created_at
        )
        endpoint = session.scalars(select(WebhookEndpoint.id)).one()
    assert "Paused" in browser.get(LIST).text
    assert "“ada”, who added it, is disabled." in browser.get(f"{LIST}/{endpoint}").text
