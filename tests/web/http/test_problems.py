"""Each problem has a type that stays, with a page at its address."""

import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.support.factories import draw_picture, make_tar
from web.http.problem_types import PROBLEM_TYPES, ProblemType

DATABASES = ("sqlite",)  # nothing here depends on the kind


def test_each_type_has_a_name_of_its_own_for_addresses() -> None:
    names = [kind.name for kind in PROBLEM_TYPES]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def test_a_program_can_tell_one_conflict_from_another(client: FlaskClient) -> None:
    upload = f"/api/v1/uploads/{uuid4()}"
    client.put(upload, json={"name": "photos"})
    for name, status in (("a.jpg", 201), ("b.jpg", 409)):
        answer = client.put(f"{upload}/shards/0", data=make_tar({name: draw_picture()}))
        assert answer.status_code == status
    assert answer.json is not None
    assert answer.mimetype == "application/problem+json"
    assert (answer.json["type"], answer.json["code"]) == ("/problems/shard-digest-mismatch", "shard-digest-mismatch")
    missing = client.post(f"{upload}/complete", json={"n_shards": 3})
    assert missing.json is not None
    assert (missing.json["code"], missing.json["missing"]) == ("upload-incomplete", [1, 2])


def test_a_wrong_field_and_an_unknown_address_have_types(client: FlaskClient) -> None:
    for answer, code in (
        (client.get("/api/v1/jobs?limit=0"), "invalid-request"),
        (client.get("/api/v1/nothing"), "not-found"),
        (client.post("/api/v1/labels", data="{", content_type="application/json"), "bad-request"),
    ):
        assert answer.json is not None
        assert answer.json["code"] == code


def test_the_address_of_every_type_is_a_page_for_everybody(stranger: FlaskClient) -> None:
    listed = stranger.get("/problems").text
    for kind in PROBLEM_TYPES:
        assert f'href="{kind.address}"' in listed
        page = stranger.get(kind.address)
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert kind.title.replace("'", "&#39;") in page.text


def test_somebody_who_is_not_logged_in_gets_no_menu_of_pages_that_need_it(
    stranger: FlaskClient, client: FlaskClient
) -> None:
    menu = stranger.get("/problems").text.partition("</header>")[0]
    assert 'href="/login"' in menu
    assert "Schedules" not in menu
    assert "Log out" not in menu
    assert "Log out" in client.get("/problems").text


def test_an_unknown_type_has_no_page(stranger: FlaskClient) -> None:
    assert stranger.get("/problems/of-my-own").status_code == 404


@pytest.mark.parametrize("kind", PROBLEM_TYPES, ids=lambda kind: kind.name)
def test_a_type_says_what_happened_and_what_to_do(kind: ProblemType) -> None:
    assert kind.meaning.endswith(".")
    assert kind.remedy.endswith(".")
    assert not kind.title.endswith(".")
