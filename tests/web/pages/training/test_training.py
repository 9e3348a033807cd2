"""The pages with which a person starts a training and watches it, as plain forms."""

import re
from html import unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.base.database import Database
from core.base.errors import ErrorCode
from core.base.states import JobState, LabelSource
from core.evaluation import label_quality
from core.jobs import jobs
from core.labels.labels import NewLabel, add_labels
from core.storage.blobs import Blobs
from core.training import claims, progress
from tests.support.actors import as_owner, make_token
from tests.support.factories import (
    LEASE_S,
    draw_picture,
    make_epoch,
    make_job,
    make_labelled,
    make_manifest,
    make_training,
    make_upload,
    make_version,
    read_results,
    run_epochs,
    run_job,
)
from tests.support.labelled_contents import make_pets, say_all
from web.app import App

DATABASES = ("sqlite",)
NEW = "/train/new"


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def field(answer: TestResponse, name: str) -> str:
    """The tag of a form's field."""
    found = re.search(rf'<input[^>]*\sname="{name}"[^>]*>', answer.text)
    assert found is not None
    return found[0]


def start(client: FlaskClient, **form: str) -> TestResponse:
    return client.post(NEW, data={"network": "seed-cnn"} | form)


def job_of(db: Database, answer: TestResponse) -> UUID:
    assert answer.status_code == 303
    return UUID(answer.location.rpartition("/")[2])


def parameters_of(db: Database, job: UUID) -> dict[str, object]:
    with db.read() as session:
        return progress.describe_training(session, jobs.get_job(session, job)).parameters


def test_labelled_uploads_are_offered_newest_first_and_others_are_not(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    for name in ("first", "second"):
        make_labelled(db, blobs, name=name)
    make_upload(db, blobs, name="nobody said anything")
    make_upload(db, blobs, labelled=True, is_complete=False, name="still arriving")
    page = client.get("/train")
    assert re.findall(r'choice__name"><bdi>([^<]+)<', page.text) == ["second", "first"]
    assert words(page).count("60 of 60 pictures labelled") == 2


def test_an_upload_that_was_corrected_by_hand_is_offered(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, name="corrected"))
    run_job(db, job)
    with db.write() as session:
        add_labels(session, None, [NewLabel(read_results(db, job)[0].image_id, "cat")])
    assert "1 of 4 pictures labelled" in words(client.get("/train"))


def test_older_uploads_are_a_page_further_and_what_was_ticked_stays_ticked(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    uploads = [make_labelled(db, blobs, n_each=1, name=f"upload {n}") for n in range(14)]
    first = client.get("/train")
    cursor = re.search(r'name="cursor" value="([^"]+)"', first.text)
    assert cursor is not None
    page = client.get("/train", query_string={"cursor": cursor[1], "upload": str(uploads[13])})
    assert re.findall(r'choice__name"><bdi>([^<]+)<', page.text) == ["upload 13", "upload 1", "upload 0"]
    assert re.findall(r'value="([^"]+)" checked', page.text) == [str(uploads[13])]


def test_what_is_found_is_shown_before_anything_starts(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    more = {"pets/cats/again.jpg": b"cat 1", "pets/neither/1.jpg": b"tree", "pets/other/2.jpg": b"what"}
    upload = make_labelled(db, blobs, n_each=100, more=more)
    said = words(client.get(NEW, query_string={"upload": str(upload)}))
    assert "100 Cat 100 Dog 1 Neither" in said
    assert "Duplicates 1 " in said
    assert "Known to be unreadable 0 " in said
    assert "Without a label 1 " in said
    assert 'are skipped: "other".' in said
    parts = re.search(r"Training (\d+) Validation (\d+) Test (\d+)", said)
    assert parts is not None
    assert sum(int(n) for n in parts.groups()) in (200, 201)
    assert words(client.get("/")).count("Nothing sorted yet") == 1


@pytest.mark.parametrize("query", [{"data": "all"}, {"upload": "plain"}], ids=["everything", "an upload"])
def test_without_labelled_pictures_the_page_says_what_to_do_first_and_shows_no_form(
    client: FlaskClient, db: Database, blobs: Blobs, query: dict[str, str]
) -> None:
    plain = make_upload(db, blobs, n_files=3)
    page = client.get(
        NEW, query_string={key: str(plain) if value == "plain" else value for key, value in query.items()}
    )
    assert page.status_code == 200
    assert "Upload a labelled folder" in page.text
    assert "data-parameters" not in page.text


def test_labels_that_were_mostly_given_one_by_one_are_said_to_forget(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    for labelled in (False, True):
        (upload,) = make_pets(db, blobs, 20, labelled=labelled)
        say_all(db, LabelSource.CORRECTION, [upload])
        page = words(client.get(f"{NEW}?upload={upload}"))
        assert ("70 labels of these were given one by one" in page) is not labelled


def test_unreadable_pictures_are_counted(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    run_job(db, make_job(db, upload), {"pets/cats/3.jpg": ErrorCode.TRUNCATED})
    assert "Known to be unreadable 1 " in words(client.get(NEW, query_string={"upload": str(upload)}))


def test_pictures_that_teach_nothing_get_a_sentence_and_no_button_to_start(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_upload(db, blobs, files={f"a/cats/{n}.jpg": draw_picture(n) for n in range(20)}, labelled=True)
    page = client.get(NEW, query_string={"upload": str(upload)})
    assert page.status_code == 200
    assert "a network learns to tell classes apart" in words(page)
    assert "Start training" not in page.text
    assert start(client, upload=str(upload)).status_code == 422
    assert client.get("/api/v1/jobs").json == {"items": [], "next": None}


def test_pictures_that_teach_nothing_can_be_removed_again_but_not_those_of_a_job(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    files = {f"a/cats/{n}.jpg": draw_picture(n) for n in range(20)}
    refused, sorted_too = (make_upload(db, blobs, files=files, labelled=True) for _ in range(2))
    make_job(db, sorted_too)
    button = "Delete these pictures"
    assert button in client.get(NEW, query_string={"upload": str(refused)}).text
    assert button not in client.get(NEW, query_string={"upload": str(sorted_too)}).text
    assert button not in client.get(NEW, query_string={"upload": str(make_labelled(db, blobs))}).text
    assert client.post("/train/remove", data={"upload": str(refused)}).location == "/train"
    assert client.get(f"/api/v1/uploads/{refused}").status_code == 410
    assert client.post("/train/remove", data={"upload": str(sorted_too)}).status_code == 409
    assert client.get(f"/api/v1/uploads/{sorted_too}").status_code == 200


def test_nothing_chosen_says_what_to_do(client: FlaskClient) -> None:
    for answer in (client.get(NEW), start(client)):
        assert answer.status_code == 422
        assert "Choose at least one folder" in words(answer)


@pytest.mark.parametrize(
    ("upload", "status"),
    [("nonsense", 422), ("00000000-0000-4000-8000-000000000000", 404), ("../etc", 422), ("\N{CAT FACE}", 422)],
)
def test_addresses_that_name_no_upload_are_refused(client: FlaskClient, upload: str, status: int) -> None:
    answer = client.get(NEW, query_string={"upload": upload}, headers={"Accept": "text/html"})
    assert answer.status_code == status


def test_the_defaults_for_this_much_data_stand_in_the_empty_fields(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    page = client.get(NEW, query_string={"upload": str(make_labelled(db, blobs))})
    asked = client.post("/api/v1/training-jobs/parameters", json={"network": "seed-cnn"}).json
    assert asked is not None
    assert f'placeholder="automatic: {asked["epochs"]}"' in field(page, "epochs")
    assert 'placeholder="automatic: 0.001"' in field(page, "learning_rate")
    assert 'value=""' in field(page, "epochs")
    assert "Whole number from 1 to 1,000." in words(page)


def selected_method(answer: TestResponse) -> str:
    (value,) = re.findall(r'name="what" value="(\w+)" checked', answer.text)
    return value


def test_the_way_that_takes_seconds_is_selected_where_there_is_a_version(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = str(make_labelled(db, blobs))
    assert selected_method(client.get(NEW, query_string={"upload": upload})) == "head"
    assert selected_method(client.get(NEW, query_string={"upload": upload, "what": "all"})) == "all"
    untrained = {"upload": upload, "network": "efficientnet-lite0"}
    assert selected_method(client.get(NEW, query_string=untrained)) == "all"


def test_the_long_way_says_its_time_from_what_was_measured_here(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_labelled(db, blobs)
    page = words(client.get(f"{NEW}?upload={upload}"))
    assert "No such training was measured on this installation yet, so the time is unknown." in page
    run_epochs(db, make_training(db, upload, network="seed-cnn"), 1)
    page = words(client.get(f"{NEW}?upload={upload}"))
    assert re.search(r"Takes .{5,20} at most, at the 853 pictures per second of the last such training here", page)


def test_a_form_left_empty_starts_a_training_with_the_defaults(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    job = job_of(db, start(client, upload=str(upload)))
    assert parameters_of(db, job)["network"] == "seed-cnn"
    assert "pets" in words(client.get(f"/jobs/{job}"))


def test_what_is_typed_is_what_is_trained_with(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    version = make_version(db, "seed-cnn", weights=b"some")
    typed = {"epochs": " 7 ", "learning_rate": "1e-4", "augmentation": "light", "start_from": str(version), "seed": "5"}
    job = job_of(db, start(client, upload=str(make_labelled(db, blobs)), name="Mine", **typed))
    told = parameters_of(db, job)
    wanted = {"epochs": 7, "learning_rate": 1e-4, "augmentation": "light", "start_from": version, "seed": 5}
    assert {name: told[name] for name in wanted} == wanted
    assert "Mine" in words(client.get(f"/jobs/{job}"))


def test_everything_labelled_can_be_chosen(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs, name="one")
    assert "Train on everything labelled" in words(client.get(NEW, query_string={"data": "all"}))
    job = job_of(db, start(client, data="all"))
    assert "Everything labelled at the start" in words(client.get(f"/jobs/{job}"))


def test_the_same_form_sent_twice_starts_one_training(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    page = client.get(NEW, query_string={"upload": str(make_labelled(db, blobs))})
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    assert len({job_of(db, client.post(NEW, data=hidden)) for _ in range(2)}) == 1


def test_wrong_values_come_back_with_a_sentence_beside_each_and_nothing_is_lost(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    typed = {"epochs": "many", "batch_size": "0", "learning_rate": "0,1", "seed": "12", "name": 'My "own" <name>'}
    answer = start(client, upload=str(make_labelled(db, blobs)), start_from="99", augmentation="odd", **typed)
    assert answer.status_code == 422
    sentences = {name: unescape(text) for name, text in re.findall(r'id="wrong-(\w+)">([^<]+)</span>', answer.text)}
    assert sentences.keys() == {"epochs", "batch_size", "learning_rate", "start_from", "augmentation"}
    assert sentences["epochs"] == "Expected a whole number from 1 to 1,000; got 'many'."
    assert sentences["batch_size"] == "Expected a whole number from 1 to 1,024; got 0."
    assert "no model version 99" in sentences["start_from"]
    assert 'aria-invalid="true" autofocus aria-describedby="wrong-epochs hint-epochs"' in field(answer, "epochs")
    for name, value in typed.items():
        assert f'value="{value}"' in unescape(field(answer, name)).replace("&#34;", '"')
    assert "5 fields need correction" in words(answer)
    assert client.get("/api/v1/jobs").json == {"items": [], "next": None}


def test_a_version_of_another_network_is_refused_beside_its_field(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    version = make_version(db, "efficientnet-lite0", weights=b"other")
    answer = start(client, upload=str(make_labelled(db, blobs)), start_from=str(version))
    assert answer.status_code == 422
    assert f'id="wrong-start_from">Version {version} is one of efficientnet-lite0' in answer.text


def test_checking_only_starts_nothing(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    answer = start(client, upload=str(make_labelled(db, blobs)), epochs="5000", look="1")
    assert answer.status_code == 200
    assert "Expected a whole number from 1 to 1,000; got 5000." in answer.text
    assert client.get("/api/v1/jobs").json == {"items": [], "next": None}


def test_a_training_says_what_happens_now(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=30)
    assert "Waiting for a training worker" in words(client.get(f"/jobs/{job}"))
    claim = run_epochs(db, job, 0, "decoding", (20, 60))
    assert "Decoding to find near-duplicates: 20 of 60 pictures" in words(client.get(f"/jobs/{job}"))
    for phase, step, sentence in (
        ("comparing", 40, "Looking for near-duplicates: 40 of 60 pictures"),
        ("judging", 20, "Evaluating on pictures that it was not trained on: 20 of 60 pictures"),
    ):
        with db.write() as session:
            claims.beat(session, claim, 60, phase, step, 60)
        assert sentence in words(client.get(f"/jobs/{job}"))


@pytest.mark.parametrize(("what", "sentence"), [("head", "Decoding and computing features: "), ("all", "Decoding: ")])
def test_the_bar_has_no_length_until_there_are_steps_after_the_choice_of_pictures(
    client: FlaskClient, db: Database, blobs: Blobs, what: str, sentence: str
) -> None:
    start_from = {"start_from": 1} if what == "head" else {}
    job = make_training(db, make_labelled(db, blobs), network="seed-cnn", what=what, **start_from)
    claim = run_epochs(db, job, 0, "reading")
    with db.write() as session:
        claims.keep_data(session, claim, "samples")
    for step, has_length in ((0, False), (1, True)):
        with db.write() as session:
            claims.beat(session, claim, 60, "decoding", step, 167)
        page = client.get(f"/jobs/{job}")
        assert f"{sentence}{step} of 167 pictures" in words(page)
        assert ('<progress max="1" value=' in page.text) == has_length


def test_the_training_of_a_head_speaks_of_no_epochs(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), network="seed-cnn", what="head", start_from=1)
    claim = run_epochs(db, job, 0, "training", (0, 0))
    while_it_runs = words(client.get(f"/jobs/{job}"))
    with db.write() as session:
        claims.fail(session, claim, "It was told to.")
    afterwards = words(client.get(f"/jobs/{job}"))
    assert "Fitting a new head" in while_it_runs
    assert "Interrupted" in afterwards
    assert "epoch" not in (while_it_runs + afterwards).lower()


def test_the_time_that_decoding_and_the_first_epoch_take_is_shown_while_they_go_on(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=3)
    claim = run_epochs(db, job, 0)
    for phase, step, left_s, sentence in (
        ("decoding", 20, 240.0, "4 minutes of decoding left"),
        ("training", 15, 180.0, "11 minutes left"),  # three quarters of an epoch take three minutes
        ("validating", 0, None, "Training: validating epoch 1"),
    ):
        with db.write() as session:
            claims.beat(session, claim, 60, phase, step, 60 if step else 0, left_s)
        assert sentence in words(client.get(f"/jobs/{job}"))


def bar(client: FlaskClient, job: UUID) -> float:
    """How far the bar of a training is."""
    found = re.search(r'<progress max="1" value="([\d.]+)"', client.get(f"/jobs/{job}").text)
    assert found is not None
    return float(found[1])


def test_the_bar_never_goes_back(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=4)
    claim = run_epochs(db, job, 0, "reading")
    reached: list[float] = []

    def report(phase: str, step: int, n_steps: int) -> None:
        with db.write() as session:
            claims.beat(session, claim, 60, phase, step, n_steps)
        reached.append(bar(client, job))

    for phase, step, n_steps in (("decoding", 1, 60), ("decoding", 60, 60), ("comparing", 1, 60)):
        report(phase, step, n_steps)
    with db.write() as session:
        claims.keep_data(session, claim, "samples")
    for phase, step, n_steps in (("decoding", 1, 60), ("preparing", 0, 0), ("training", 1, 8), ("training", 8, 8)):
        report(phase, step, n_steps)
    report("validating", 0, 0)
    with db.write() as session:
        claims.record_epoch(session, claim, make_epoch(1), "state 1")
    reached.append(bar(client, job))
    report("training", 1, 8)
    report("judging", 0, 0)
    assert reached == sorted(reached)
    assert reached[-3:] == pytest.approx([2 / 5, 2 / 5 + 1 / 40, 1], abs=1e-4)


def test_what_was_found_before_the_start_stays_on_the_page(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs, more={f"pets/neither/{n}.jpg": b"other %d" % n for n in range(3)})
    job = make_training(db, upload)
    found = client.post("/api/v1/training-jobs/preview", json={"data": [str(upload)]}).get_json()
    said = words(client.get(f"/jobs/{job}"))
    by_class, by_part = found["by_class"], found["by_part"]
    assert f"Cat {by_class['cat']} Dog {by_class['dog']} Neither 3" in said
    assert f"Training {by_part['training']} Validation {by_part['validation']} Test {by_part['judging']}" in said
    assert "Known to be unreadable 0" in said
    assert "only help to choose its threshold" in said
    assert client.get(f"/api/v1/jobs/{job}/epochs").get_json()["found"]["by_part"] == by_part


def test_a_training_shows_its_epochs_and_marks_the_best(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=30)
    run_epochs(db, job, 17, now=(40, 78))
    page = client.get(f"/jobs/{job}")
    said = words(page)
    assert "Training: epoch 18 of 30, step 40 of 78" in said
    assert "853 pictures per second · about 3 minutes left" in said
    assert f'max="1" value="{18.513 / 31:.4f}"' in page.text
    rows = re.findall(r'<tr( class="is-chosen")?><th scope="row">(\d+)', page.text)
    assert [int(number) for _, number in rows] == list(range(17, 0, -1))
    # 0.6 e^(-n/5) + 0.006 n is lowest at n = 5 ln 20 = 14.98.
    assert [number for chosen, number in rows if chosen] == ["15"]
    assert page.text.count("<polyline") == 4
    assert "loss goes from 0.6095 to 0.0800 in training" in said


def test_what_a_poller_asks_again_costs_nothing_while_nothing_moves(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_training(db, make_labelled(db, blobs))
    claim = run_epochs(db, job, 1, now=(1, 9))
    tag = client.get(f"/jobs/{job}").headers["ETag"]
    again = client.get(f"/jobs/{job}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    with db.write() as session:
        claims.beat(session, claim, 60, "training", 2, 9)
    assert client.get(f"/jobs/{job}", headers={"If-None-Match": tag}).status_code == 200


def test_a_finished_training_links_its_version_its_pictures_and_the_next_one(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_labelled(db, blobs)
    job = make_training(db, upload, epochs=5)
    claim = run_epochs(db, job, 5)
    with db.write() as session:
        version = claims.finish(session, claim, make_manifest(weights=b"new")).id
    page = client.get(f"/jobs/{job}")
    assert f'href="/models/{version}"' in page.text
    assert f'href="{NEW}?upload={upload}"' in page.text
    assert f'href="{NEW}?again={job}"' in page.text
    assert "5 of 5 epochs" in words(page)
    assert "Stop" not in page.text
    assert "http-equiv" not in page.text
    assert f"Version {version}, which it produced, is kept." in words(client.get(f"/jobs/{job}/delete"))


def test_a_failed_training_shows_its_sentence_and_can_be_taken_up_again(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=5)
    claim = run_epochs(db, job, 2)
    with db.write() as session:
        claims.fail(session, claim, "The disk is full.")
    said = words(client.get(f"/jobs/{job}"))
    assert "The disk is full." in said
    assert "Resume after epoch 2" in said
    assert client.post(f"/jobs/{job}/retry").status_code == 303
    assert "Waiting for a training worker" in words(client.get(f"/jobs/{job}"))


def test_a_training_can_be_stopped_from_its_page(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=5)
    assert "keep_best" not in client.get(f"/jobs/{job}").text  # there is nothing to keep yet
    run_epochs(db, job, 2)
    assert 'name="keep_best" value="1">Stop and keep the best epoch' in client.get(f"/jobs/{job}").text
    assert client.post(f"/jobs/{job}/cancel").status_code == 303
    with db.read() as session:
        assert jobs.get_job(session, job).state == JobState.CANCELLED


def test_training_again_begins_with_the_same_pictures_and_parameters(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_labelled(db, blobs)
    job = make_training(db, upload, epochs=9, learning_rate=0.0005, augmentation="light")
    page = client.get(NEW, query_string={"again": str(job)})
    assert 'value="9"' in field(page, "epochs")
    assert 'value="0.0005"' in field(page, "learning_rate")
    assert '<option value="light" selected>' in page.text
    assert f'name="upload" value="{upload}"' in page.text


def test_a_page_that_is_still_moving_refreshes_itself_without_javascript(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_training(db, make_labelled(db, blobs))
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in client.get(f"/jobs/{job}").text


def test_the_list_of_jobs_says_of_a_training_what_it_is(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs), epochs=4)
    run_epochs(db, job, 1, now=(3, 9))
    said = words(client.get("/"))
    assert "pets Training Training: epoch 2 of 4, step 3 of 9" in said
    assert "files sorted" not in said  # as a job that classifies says
    assert "Cat" not in said


def test_a_training_has_no_failed_files_but_a_page(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_training(db, make_labelled(db, blobs))
    answer = client.get(f"/jobs/{job}/failed")
    assert (answer.status_code, answer.location) == (303, f"/jobs/{job}")


def test_only_its_owner_trains_first_on_an_upload_whose_labels_wait(app: App, db: Database, blobs: Blobs) -> None:
    files = {f"pets/{kind}s/{n}.jpg": f"{kind} {n}".encode() for kind in ("cat", "dog") for n in range(30)}
    upload = str(make_upload(db, blobs, files, labelled=True, for_training=True, by="ada"))
    clients = {}
    for name in ("ada", "bob"):
        clients[name] = app.test_client()
        clients[name].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_token(db, name)}"
    training = {"data": [upload], "network": "seed-cnn"}

    def ways_of(name: str) -> list[TestResponse]:
        client = clients[name]
        return [
            client.get(f"{NEW}?upload={upload}", headers={"Accept": "text/html"}),
            start(client, upload=upload),
            client.post("/api/v1/training-jobs/preview", json={"data": [upload]}),
            client.post("/api/v1/training-jobs", json=training),
        ]

    assert upload not in clients["bob"].get("/train").text
    for answer in ways_of("bob"):
        assert (answer.status_code, "do not count yet" in answer.text) == (403, True)
    assert upload in clients["ada"].get("/train").text
    assert [answer.status_code for answer in ways_of("ada")] == [200, 303, 200, 202]
    assert upload in clients["bob"].get("/train").text, "they count now"


def test_a_training_that_an_error_interrupted_does_not_look_as_if_it_went_on(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_training(db, make_labelled(db, blobs))
    claim = run_epochs(db, job, 0, "decoding", (40, 60))
    assert "Decoding to find near-duplicates: 40 of 60 pictures" in words(client.get(f"/jobs/{job}"))
    with db.write() as session:
        claims.release_after_error(session, claim)
    page = words(client.get(f"/jobs/{job}"))
    assert "Attempt 1 of 20 was interrupted; the next one starts soon" in page
    assert "Decoding to find" not in page


def test_a_check_of_the_labels_says_how_long_it_will_still_take(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    run_job(db, make_job(db, make_labelled(db, blobs, n_each=60)))
    with db.write() as session:
        check = label_quality.create_label_quality_job(session, as_owner(session), None)
        claim = claims.claim_training(session, check.id, None, LEASE_S)
        assert claim is not None
        claims.beat(session, claim, LEASE_S, "studying", 8, 20, 90.0)
    page = words(client.get(f"/jobs/{check.uuid}"))
    assert "Training on some of the labels and checking the others" in page
    assert "about 2 minutes left" in page
