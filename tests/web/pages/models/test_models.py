"""The pages of the registry, as a person without JavaScript meets them."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from core.base.database import Database
from core.base.states import LabelSource
from core.decoding.decoded import DECODING
from core.evaluation import predictions
from core.models import conversions, registry
from core.orm.evaluation import Prediction
from core.storage.blobs import Blobs
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import make_manifest, make_version
from tests.support.labelled_contents import make_pets, say_all
from tests.support.light_version import use_light_version

DATABASES = ("sqlite",)


@pytest.fixture
def other(app: object, db: Database, blobs: Blobs) -> int:
    """A second version; both have weights."""
    blobs.put(registry.weights_key(make_manifest()["digest"]), b"seed-cnn")
    version = make_version(db, "another", weights=b"weights")
    with db.read() as session:
        digest = registry.get_version(session, version).digest
    blobs.put(registry.weights_key(digest), b"weights")
    return version


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_the_list_says_which_version_is_in_use(client: FlaskClient, other: int) -> None:
    page = client.get("/models")
    assert page.text.count("data-in-use") == 1
    assert "Use version 2" in words(page)


def promote(client: FlaskClient, version: int, instead_of: int = 1) -> TestResponse:
    """Answer the question, too."""
    return client.post(f"/models/{version}/promote", data={"instead_of": instead_of})


def in_use(client: FlaskClient) -> int:
    found = re.search(r"data-in-use>.*?Version (\d+)", client.get("/models").text, re.DOTALL)
    assert found is not None
    return int(found[1])


def test_promoting_a_version_that_was_not_compared_asks_first(client: FlaskClient, other: int) -> None:
    answer = client.post(f"/models/{other}/promote")
    assert (answer.status_code, answer.location) == (303, f"/models/{other}/promote")
    question = client.get(answer.location)
    assert "were not evaluated on the same pictures" in words(question)
    assert in_use(client) == 1
    (instead_of,) = re.findall(r'name="instead_of" value="(\d+)"', question.text)
    assert promote(client, other, int(instead_of)).location == "/models"
    assert in_use(client) == other


def test_an_answer_that_was_given_for_another_version_in_use_is_asked_again(client: FlaskClient, other: int) -> None:
    assert promote(client, other, instead_of=7).location == f"/models/{other}/promote"
    assert in_use(client) == 1


def test_the_question_says_that_a_version_is_worse_and_was_compared_on_few(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    contents = make_judged(db, blobs)
    judge(db, 1, contents, right)
    judge(db, other, contents, wrong_at_first)
    question = words(client.get(f"/models/{other}/promote"))
    assert "It is worse on these pictures. At least 200 pictures are needed" in question
    page = client.get(f"/models/{other}")
    assert "It is worse on these pictures." in words(page)
    (button,) = re.findall(r'<button class="([^"]*)" type="submit">Use this version', page.text)
    assert "button--main" not in button


def test_accuracies_in_the_list_are_of_the_same_pictures(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    assert "Evaluate and compare with version 1" in words(client.get("/models"))
    contents = make_judged(db, blobs)
    judge(db, 1, contents, right)
    some = dict(sorted(contents.items())[:4])
    judge(db, other, some, wrong_at_first)
    page = words(client.get("/models"))
    assert f"100.0 % correct on {len(contents)} test pictures labelled here" in page
    assert "25.0 % correct on 4 test pictures; version 1, in use: 100.0 % of the same" in page


def test_a_version_is_put_into_use_and_taken_back(client: FlaskClient, other: int) -> None:
    assert promote(client, other).status_code == 303
    assert "Roll back to version 1" in words(client.get("/models"))
    assert client.post("/models/rollback", data={"in_use": other}).status_code == 303
    history = words(client.get("/deployments"))
    assert history.index("rolled back") < history.index("promoted") < history.index("first start")
    assert "owner" in history


def test_a_roll_back_from_an_old_page_gets_a_sentence(client: FlaskClient, other: int) -> None:
    answer = client.post("/models/rollback", data={"in_use": other})
    assert answer.status_code == 409
    assert "Reload the page" in words(answer)


def test_damaged_weights_are_not_put_into_use(client: FlaskClient, db: Database, blobs: Blobs, other: int) -> None:
    with db.read() as session:
        key = registry.weights_key(registry.get_version(session, other).digest)
    blobs.put(key, b"changed")
    answer = promote(client, other)
    assert answer.status_code == 409
    assert "digest" in words(answer)


def test_a_version_in_use_is_not_deleted(client: FlaskClient) -> None:
    answer = client.post("/models/1/delete")
    assert answer.status_code == 409
    assert "is in use" in words(answer)


def test_a_candidate_is_deleted_after_a_question(client: FlaskClient, other: int) -> None:
    assert "can’t undo this" in words(client.get(f"/models/{other}/delete"))
    assert client.post(f"/models/{other}/delete").status_code == 303
    assert client.get(f"/models/{other}").status_code == 410


def test_a_version_that_was_never_judged_offers_it(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    assert "Evaluate it now" in words(client.get("/models/1"))
    assert "nothing to evaluate on" in words(client.post("/models/1/judge"))
    make_judged(db, blobs)
    assert client.post("/models/1/judge").status_code == 303


def test_the_page_of_a_version_shows_its_worst_errors(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    judge(db, 1, make_judged(db, blobs), wrong_at_first)
    page = client.get("/models/1")
    assert "The 3 pictures where it was wrong with the highest confidence" in words(page)
    cells = re.findall(r'href="(/models/1/judgements\?true=[^"]*called=[^"]*)"', page.text)
    assert cells
    assert all(client.get(unescape(cell)).status_code == 200 for cell in cells)


def test_a_version_of_older_decoding_rules_asks_to_be_evaluated_and_says_what_changed(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    contents = make_judged(db, blobs)
    judge(db, 1, contents, wrong_at_first)
    assert "was evaluated before that" not in words(client.get("/models/1"))
    with db.write() as session:
        session.execute(update(Prediction).values(decoding=DECODING - 1))
    for page in ("/models", "/models/1"):
        assert "Version 1 was evaluated before that" in words(client.get(page))
    judge(db, 1, contents, right)
    page = words(client.get("/models/1"))
    assert "was evaluated before that" not in page
    assert f"changed 3 of {len(contents)} answers: 3 right only now, 0 right only before" in page


def test_one_press_evaluates_all_versions_of_older_decoding_rules(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    contents = make_judged(db, blobs)
    for version in (1, other):
        judge(db, version, contents, right)
    with db.write() as session:
        session.execute(update(Prediction).values(decoding=DECODING - 1))
    page = client.get("/models")
    assert f"Versions 1, {other} were evaluated before that" in words(page)
    numbers = re.findall(r'name="version" value="(\d+)"', page.text)
    assert client.post("/models/evaluate", data={"version": numbers}).location == "/"
    names = {job["name"] for job in client.get("/api/v1/jobs").json["items"] if job["state"] == "queued"}
    assert names == {"Evaluate version 1", f"Evaluate version {other}"}


def test_two_versions_stand_side_by_side_in_plain_words(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    assert "no picture that both were evaluated on" in words(client.get(f"/models/1/compare/{other}"))
    contents = make_judged(db, blobs)
    judge(db, 1, contents, wrong_at_first)
    judge(db, other, contents, right)
    page = words(client.get(f"/models/1/compare/{other}"))
    assert "do not show which version is better" in page
    assert "3 pictures on which they differ" in page


def test_pictures_that_were_corrected_one_by_one_are_said_to_judge_unfairly(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    uploads = make_pets(db, blobs, 20, labelled=False)
    for source, is_said in ((LabelSource.CORRECTION, True), (LabelSource.AUDIT, False)):
        say_all(db, source, uploads)
        with db.write() as session:
            contents = {one.sha256: one.label for one in predictions.choose_contents(session)}
        judge(db, 1, contents, wrong_at_first)
        judge(db, other, contents, right)
        for page in ("/models/1", f"/models/1/compare/{other}"):
            found = words(client.get(page))
            assert ("20 pictures of these were labelled one by one, after a version was wrong" in found) is is_said


def test_choosing_two_versions_leads_to_their_comparison(client: FlaskClient, other: int) -> None:
    answer = client.get(f"/models/compare?first=1&second={other}")
    assert (answer.status_code, answer.location) == (303, f"/models/1/compare/{other}")
    assert "Compare two versions" in words(client.get("/models/compare"))


@pytest.mark.parametrize("kind", ["html", "md"])
def test_a_model_card_is_one_file_that_says_what_is_not_recorded(client: FlaskClient, kind: str) -> None:
    answer = client.get(f"/models/1/card.{kind}")
    assert answer.status_code == 200
    assert f'filename="model-card-1.{kind}"' in answer.headers["Content-Disposition"]
    assert "not recorded" in answer.text
    assert "://" not in answer.text.replace("https://semver.org", "")


@pytest.mark.parametrize(
    ("max_taken", "of_neither"), [(1.0, ""), (0.1, " and at most 10.0 % of the pictures of neither with a label")]
)
def test_a_card_says_what_the_threshold_had_to_keep(
    app: object, client: FlaskClient, db: Database, max_taken: float, of_neither: str
) -> None:
    with db.write() as session:
        version = registry.get_version(session, 1)
        bounds = {"max_wrong": 0.05, "max_unsure": 0.25, "max_taken": max_taken}
        version.manifest = {**version.manifest, "bounds": bounds}
    said = f"at most 5.0 % wrong{of_neither}, unless that makes more than 25.0 % unsure"
    assert said in words(client.get("/models/1/card.html"))


def test_names_in_a_markdown_card_are_no_markup(app: object, client: FlaskClient, db: Database) -> None:
    with db.write() as session:
        version = registry.get_version(session, 1)
        version.manifest = {**version.manifest, "who": "a|b [c](d) <e>"}
    assert r"a\|b \[c\](d) \<e\>" in client.get("/models/1/card.md").text


def test_of_many_versions_a_page_has_some_and_the_one_in_use_first(client: FlaskClient, db: Database) -> None:
    for n in range(65):
        make_version(db, f"version {n}", weights=b"%d" % n)
    page = client.get("/models").text
    shown = re.findall(r">Version (\d+)</a>", page)
    while more := re.search(r'rel="next" href="([^"]+)"', page):
        page = client.get(unescape(more[1])).text
        shown += re.findall(r">Version (\d+)</a>", page)
    assert shown == ["1", *(str(n) for n in range(66, 1, -1))]
    assert "Newest versions" in page
    first = client.get("/api/v1/models?limit=40").json
    assert (len(first["items"]), len(client.get(f"/api/v1/models?cursor={first['next']}").json["items"])) == (40, 26)


def test_with_a_single_version_there_is_nothing_to_compare(client: FlaskClient, db: Database) -> None:
    page = client.get("/models/compare").text
    assert "There is only one version so far" in page
    assert "<select" not in page
    make_version(db, "another", weights=b"weights")
    assert client.get("/models/compare").text.count("<select") == 2


def test_a_card_says_what_runs_the_version_on_a_cpu(client: FlaskClient, other: int, db: Database) -> None:
    assert "On CPUs run by TensorFlow until it is converted for LiteRT" in words(client.get(f"/models/{other}"))
    measured = {"n_images": 1000, "n_labels_differ": 3}
    kept = measured | {"n_labels_differ": None}
    for document, said in (
        ({"digest": "ab", "precision": "int8", "agreement": measured}, "of 1,000 pictures, 3 got another label than"),
        ({"digest": "ab", "precision": "int8", "agreement": kept}, "head was fitted on"),
        ({"reason": "9 of 10 labels differ"}, "since LiteRT does not agree: 9 of 10 labels differ"),
    ):
        with db.write() as session:
            conversions.add(session, other, document)
        assert said in words(client.get(f"/models/{other}/card.html"))


def test_the_card_of_a_light_version_explains_who_answers_and_trains_its_teacher(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    light, accurate = use_light_version(db)
    page = client.get(f"/models/{light}")
    assert f"itself from a confidence of 0.97; version {accurate} (efficientnet-lite0) answers" in words(page)
    say_all(db, LabelSource.CORRECTION, make_pets(db, blobs, 2))
    page = client.get(f"/models/{light}").text
    assert f"network=efficientnet-lite0&amp;what=all&amp;start_from={accurate}" in page
