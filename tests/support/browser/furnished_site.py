"""A site with something on every page, and where each page is: for tests and eyes that go over all of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select, update

from core.accounts import accounts, invitations, login_codes, people
from core.accounts.rights import Role
from core.base.database import Database
from core.base.errors import ErrorCode
from core.base.states import LabelSource, ScheduleKind
from core.cleanup import deletion, discard_originals
from core.evaluation import label_quality
from core.ingest import shard_rows
from core.jobs import job_states, jobs
from core.labels.labels import NewLabel, add_labels
from core.orm.accounts import User
from core.orm.results import Result
from core.orm.uploads import Image
from core.review import audits
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.training import claims, near_duplicates
from core.uploads import uploads
from core.webhooks import deliveries, endpoints
from core.webhooks.endpoints import NewEndpoint
from core.webhooks.posting import Answer
from core.webhooks.targets import Allowlist
from tests.support.actors import as_owner
from tests.support.browser.drawings import draw_pet, draw_scene
from tests.support.decoders import shared_pool
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import (
    LEASE_S,
    make_job,
    make_labelled,
    make_training,
    make_upload,
    make_version,
    read_results,
    run_epochs,
    run_job,
)
from tests.support.secrets import CIPHER
from tests.web.api.labels.test_label_quality import CURVE

# What answers GET and is no page of ours for people.
NO_PAGES = {
    "provider_login_pages.finish",
    "provider_login_pages.log_out_there",
    "provider_login_pages.show_connect",  # test_provider_login.py goes over it, and over the next one
    "provider_login_pages.show_join",
    "provider_login_pages.start",
    "api_docs.show_spec",
    "health.check_alive",
    "health.check_ready",
    "metrics.get_metrics",
    "model_pages.download_card",
    "help_pages.show_favicon",
    "help_pages.show_guide",  # made by `make docs`; tests/browser/test_guide.py goes over it
    "static",
}

# The form of a call on the page of the API.
LIST_JOBS = "[data-method=GET][data-path='/api/v1/jobs']"
HEAT = bytes(max(0, 255 - 60 * (abs(n % 7 - 3) + abs(n // 7 - 2))) for n in range(49))


@dataclass(frozen=True)
class Shown:
    """A page: its endpoint, its address, and keys to press and elements to click on it before looking."""

    endpoint: str
    address: str
    keys: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    needs_login: bool = True


def list_endpoints(app: Flask) -> set[str]:
    """Every endpoint of the application that shows a page to people."""
    rules = app.url_map.iter_rules()
    return {r.endpoint for r in rules if "GET" in (r.methods or ()) and not r.rule.startswith("/api/")} - NO_PAGES


def furnish(db: Database, blobs: Blobs) -> list[Shown]:
    """Fill an empty site whose first version is in use."""
    return [
        *_general(db),
        *_jobs(db, blobs),
        *_models(db, blobs),
        *_trainings(db, blobs),
        *_labels(db, blobs),
        *_schedules(db),
        *_people(db),
        *_webhooks(db),
    ]


def _general(db: Database) -> Iterator[Shown]:
    with db.write() as session:
        code = login_codes.create_login_code(session, accounts.get_or_create_owner(session))
    yield Shown("job_pages.list_jobs", "/")
    yield Shown("help_pages.show_help", "/help")
    yield Shown("system_pages.show_system", "/system")
    yield Shown("api_docs.show_docs", "/docs", clicks=(f"{LIST_JOBS} > summary", f"{LIST_JOBS} button[type=submit]"))
    yield Shown("problem_pages.list_problems", "/problems", needs_login=False)
    yield Shown("problem_pages.show_problem", "/problems/shard-digest-mismatch", needs_login=False)
    yield Shown("login_pages.show_login", "/login", needs_login=False)
    yield Shown("login_pages.show_login", f"/login?code={code}", needs_login=False)
    yield Shown("account_pages.show_account", "/account")
    yield Shown("error", "/nothing-is-here")


def _people(db: Database) -> Iterator[Shown]:
    with db.write() as session:
        owner = people.act_as_owner(session)
        eve = accounts.get_or_create_user(session, "eve")
        _, code = invitations.invite(session, owner, Role.MEMBER, "grace@example.org")
        reset = invitations.create_password_reset(session, owner, eve)
    yield Shown("audit_log_pages.list_entries", "/audit-log")
    yield Shown("people_pages.list_people", "/people")
    yield Shown("people_pages.confirm_disable", f"/people/{eve.id}/disable")
    yield Shown("password_pages.show_password", "/account/password")
    yield Shown("invitation_pages.show_invitation", f"/invitation?code={code}", needs_login=False)
    yield Shown("invitation_pages.show_invitation", "/invitation?code=over", needs_login=False)
    yield Shown("invitation_pages.show_reset", f"/new-password?code={reset}", needs_login=False)


def _webhooks(db: Database) -> Iterator[Shown]:
    """Three webhooks: one that works, one that fails, and one that was turned off."""
    url, everything = "https://archive.example.org/pawsort", Allowlist()
    with db.write() as session:
        owner = people.act_as_owner(session)
        names = (("Archive of the museum", False), ("Chat", True), ("Old archive", False))
        archive, chat, old = (
            endpoints.create_endpoint(
                session, owner, NewEndpoint(name, url, ["job.done"] * is_all, is_all), everything, CIPHER
            ).endpoint
            for name, is_all in names
        )
        for _ in range(3):
            endpoints.send_test(session, owner, archive.id)
        waiting = endpoints.send_test(session, owner, chat.id)
        claims_ = {claim.endpoint_id: claim for claim in deliveries.claim_due(session, 2)}
        deliveries.record_attempt(session, claims_[archive.id], Answer(0.21, status=204))
        deliveries.record_attempt(session, claims_[chat.id], Answer(0.04, status=500, text="no room left"))
        old.is_on, old.note = False, "Every attempt failed for 5 days."
    address = "/account/webhooks"
    yield Shown("webhook_pages.list_webhooks", address)
    for one in (archive, chat, old):
        yield Shown("webhook_pages.show_webhook", f"{address}/{one.id}")
    yield Shown("webhook_pages.confirm_delete", f"{address}/{chat.id}/delete")
    yield Shown("delivery_pages.show_delivery", f"{address}/{chat.id}/deliveries/{waiting.id}")


def _jobs(db: Database, blobs: Blobs) -> Iterator[Shown]:
    job, address = _done(db, blobs)
    rows = read_results(db, job)
    yield Shown("job_pages.show_job", address)
    yield Shown("job_pages.show_job", f"{address}?label=cat&sort=confidence&folder=Garden/day 1", keys=("a",))
    yield Shown("job_pages.show_job", address, keys=("?",))
    yield Shown("job_pages.show_job", f"{address}?path=nothing-like-it")
    yield Shown("failure_pages.show_failed", f"{address}/failed")
    yield Shown("job_pages.list_jobs", "/?name=garden&state=done")
    yield Shown("job_pages.list_jobs", "/?name=nothing-like-it")
    yield Shown("upload_pages.ask_again", f"{address}/again")
    yield Shown("correction_pages.ask_corrections", f"{address}/corrections")
    yield Shown("folder_label_pages.ask_folder_labels", f"{address}/folder-labels")
    yield Shown("job_pages.confirm_delete", f"{address}/delete")
    yield Shown("edit_job_pages.edit_job", f"{address}/edit")
    for row in (rows[0], rows[1], next(row for row in rows if row.error_code)):
        yield Shown("picture_pages.show_image", f"{address}/images/{row.image_id}", keys=("h",))
    yield Shown("review_pages.show_review", f"{address}/review")
    yield Shown("review_pages.show_review", f"{address}/review", keys=("?",))
    yield Shown("neither_pages.ask_neither", f"{address}/neither")
    audit = _audit(db, job, n_judged=30)
    yield Shown("review_pages.show_audit", f"{address}/audits/{audit}")
    yield Shown("review_pages.check_audit", f"{address}/audits/{audit}/review")
    waiting = make_job(
        db, make_upload(db, blobs, {"a.jpg": draw_pet("dog", 1)}, is_complete=False, name="صور الحديقة 2026")
    )
    yield Shown("job_pages.show_job", f"/jobs/{waiting}")
    upload = uuid4()
    with db.write() as session:
        uploads.create_upload(session, as_owner(session), upload, "Nothing in it")
        shard_rows.complete_upload(session, as_owner(session), upload, partial=True)
    empty = make_job(db, upload)
    yield Shown("job_pages.show_job", f"/jobs/{empty}")
    yield Shown("failure_pages.show_failed", f"/jobs/{empty}/failed")
    yield Shown("job_pages.show_job", f"/jobs/{_discarded(db, blobs)}")
    gone = make_job(db, make_upload(db, blobs, {"a.jpg": draw_pet("cat", 1)}))
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), gone)
    yield Shown("error", f"/jobs/{gone}")


def _done(db: Database, blobs: Blobs) -> tuple[UUID, str]:
    draws: dict[str, Callable[[int], bytes]] = {
        "cat": lambda n: draw_pet("cat", n),
        "dog": lambda n: draw_pet("dog", n),
        "scene": draw_scene,
        "broken": lambda n: b"",
    }
    said = {"cat": (0.96, 0.02), "dog": (0.03, 0.9), "scene": (0.3, 0.4), "broken": ErrorCode.EMPTY_FILE}
    kinds = [tuple(draws)[0 if n == 0 else 3 if n == 7 else n % 3] for n in range(40)]
    paths = [f"Garden/day {n // 20 + 1}/IMG_{n:04}.jpg" for n in range(40)]
    upload = make_upload(
        db,
        blobs,
        {path: draws[kind](n) for n, (path, kind) in enumerate(zip(paths, kinds, strict=True))},
        name="Garden",
    )
    with db.write() as session:
        uploads.add_skipped(session, uploads.get_upload(session, upload), [("Garden/link.jpg", "It is a link.")])
    job = make_job(db, upload)
    results = {path: said[kind] for path, kind in zip(paths, kinds, strict=True)}
    neither = {path: (0.02, 0.05) for n, path in enumerate(paths) if kinds[n] == "scene" and n % 2}
    run_job(db, job, results | neither)
    with db.write() as session:
        items = [NewLabel(row.image_id, "neither") for row in read_results(db, job)[1:4]]
        add_labels(session, None, items)
        session.execute(update(Result).where(Result.confidence.is_not(None)).values(heat=HEAT))
    return job, f"/jobs/{job}"


def _audit(db: Database, job: UUID, n_judged: int) -> UUID:
    audit = audits.draw_audit(db, uuid4(), job, None, 50, seed=1)
    with db.write() as session:
        good = [row for row in read_results(db, job) if not row.error_code][:n_judged]
        items = [NewLabel(row.image_id, "cat", LabelSource.AUDIT) for row in good]
        add_labels(session, None, items, audits.get_audit(session, audit.uuid).id)
    return audit.uuid


def _discarded(db: Database, blobs: Blobs) -> UUID:
    upload = make_upload(db, blobs, {"a/1.jpg": draw_pet("dog", 4), "a/2.jpg": draw_pet("cat", 5)}, name="Labels only")
    job = make_job(db, upload)
    run_job(db, job)
    with db.write() as session:
        uploads.get_upload(session, upload).discards = True
    discard_originals.mark_ready(db)
    discard_originals.remove_originals(db, blobs, shared_pool())
    return job


def _models(db: Database, blobs: Blobs) -> Iterator[Shown]:
    said = make_judged(db, blobs, n_each=100)
    other = make_version(db, "another", weights=b"weights")
    judge(db, 1, said, wrong_at_first)
    judge(db, other, said, right)
    yield Shown("model_pages.list_models", "/models")
    yield Shown("model_pages.show_model", "/models/1")
    yield Shown("comparison_pages.show_predictions", "/models/1/judgements?sort=error")
    yield Shown("comparison_pages.compare_models", f"/models/1/compare/{other}")
    yield Shown("comparison_pages.choose_comparison", "/models/compare")
    yield Shown("model_pages.confirm_promote_model", f"/models/{other}/promote")
    yield Shown("model_pages.confirm_delete_model", f"/models/{other}/delete")
    yield Shown("model_pages.list_deployments", "/deployments")


def _trainings(db: Database, blobs: Blobs) -> Iterator[Shown]:
    upload = make_labelled(db, blobs, n_each=60)
    running, failed = make_training(db, upload, epochs=12), make_training(db, upload)
    run_epochs(db, running, 8, now=(3, 40))
    with db.write() as session:
        job_states.fail_job(session, jobs.get_job(session, failed).id, "The pictures could not be read.")
    yield Shown("training_pages.choose_training_data", "/train")
    yield Shown("training_pages.prepare_training", f"/train/new?upload={upload}")
    yield Shown("job_pages.show_job", f"/jobs/{running}")
    yield Shown("job_pages.show_job", f"/jobs/{failed}")
    yield Shown("job_pages.confirm_delete", f"/jobs/{failed}/delete")


def finish_study(db: Database, suspected: Sequence[int], wanted: Sequence[int]) -> None:
    """A study that suspects the label dog of some images, and wants others labelled."""
    with db.write() as session:
        study = label_quality.create_label_quality_job(session, as_owner(session), None).id
        claim = claims.claim_training(session, study, None, LEASE_S)
        assert claim is not None
        suspects = [{"image_id": one, "label": "dog", "suggested": "cat", "p_label": 0.1} for one in suspected]
        label_quality.finish(session, claim, 1, 60, CURVE, suspects, list(wanted))


def _labels(db: Database, blobs: Blobs) -> Iterator[Shown]:
    """A study that suspects two labels and wants two pictures."""
    job = make_job(db, make_upload(db, blobs, {f"a/{n}.jpg": draw_pet("dog", n) for n in range(4)}, name="To label"))
    run_job(db, job)
    images = [row.image_id for row in read_results(db, job)]
    with db.write() as session:
        add_labels(session, None, [NewLabel(image, "dog", LabelSource.FOLDER) for image in images[:2]])
    finish_study(db, images[:2], images[2:])
    yield Shown("label_pages.show_labels", "/labels")
    yield Shown("label_pages.list_suspects", "/labels/suspects")
    for name, label in (("Ada", "cat"), ("Bob", "dog")):
        with db.write() as session:
            user = User(name=name)
            session.add(user)
            session.flush()
            add_labels(session, user.id, [NewLabel(images[3], label)])
    with db.write() as session:
        alike = list(session.scalars(select(Image.sha256).where(Image.id.in_(images[:2]))))
        near_duplicates.record_groups(session, alike, [(alike[0], alike[1])])
    yield Shown("label_check_pages.list_disagreements", "/labels/disagreements")
    yield Shown("label_check_pages.list_near_duplicates", "/labels/twins")
    yield Shown("label_check_pages.show_fit", "/labels/fit")
    # With the large view open.
    yield Shown("label_pages.list_suspects", f"/labels/suspects#picture-{images[1]}")
    yield Shown("label_check_pages.list_near_duplicates", f"/labels/twins#pictures-{images[0]}-{images[1]}")


def _schedules(db: Database) -> Iterator[Shown]:
    wanted = NewSchedule(
        "Tidy up", "clean_up", cron="0 3 * * SUN", time_zone="Europe/Berlin", parameters={"older_than_days": 30}
    )
    with db.write() as session:
        schedule = schedules.create_schedule(session, as_owner(session), wanted, [])
        run = due_runs.run_now(session, as_owner(session), schedule.id)
    address = f"/schedules/{schedule.id}"
    yield Shown("schedule_pages.list_schedules", "/schedules")
    yield Shown("schedule_pages.show_schedule", address)
    yield Shown("schedule_pages.edit_schedule", f"{address}/edit")
    yield Shown("schedule_pages.confirm_delete_schedule", f"{address}/delete")
    yield Shown("schedule_pages.show_schedule_run", f"{address}/runs/{run.id}")
    for kind in ScheduleKind:
        yield Shown("schedule_pages.prepare_schedule", f"/schedules/new?kind={kind}")
