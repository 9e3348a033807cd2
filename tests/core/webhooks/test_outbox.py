"""The outbox: events are rows of the transactions in which something happens, for those whom they concern."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from core.accounts import accounts
from core.accounts.rights import Role
from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, Gone, Invalid
from core.base.states import RunState
from core.jobs import handover, job_states
from core.models import registry
from core.orm.audit_log import AuditEntry
from core.orm.webhooks import WebhookDelivery, WebhookEndpoint
from core.schedules import due_runs, runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.training import claims
from core.webhooks import delivery_list, endpoints, outbox
from core.webhooks.encryption import SecretCipher
from core.webhooks.endpoints import MAX_ENDPOINTS, NewEndpoint
from core.webhooks.events import SUBSCRIBABLE
from core.webhooks.outbox import Backlog
from core.webhooks.targets import Allowlist
from tests.support.actors import as_owner, as_person
from tests.support.factories import make_job, make_labelled, make_training, make_upload, make_version, run_job
from tests.support.secrets import CIPHER

URL = "https://example.org/"
PUBLIC_ONLY = Allowlist()
ADA, BOB = "ada", "bob"


@pytest.fixture(autouse=True)
def _version(version: int) -> None:
    """Every test has a version in use."""


def add_endpoint(
    db: Database, person: str, events: Sequence[str] = (), is_for_everybody: bool = False, url: str = URL
) -> int:
    new = NewEndpoint("archive", url, events, is_for_everybody)
    with db.write() as session:
        return endpoints.create_endpoint(session, as_person(session, person), new, PUBLIC_ONLY, CIPHER).endpoint.id


def sent(db: Database, endpoint_id: int) -> list[str]:
    with db.read() as session:
        its = select(WebhookDelivery.event).where(WebhookDelivery.endpoint_id == endpoint_id)
        return list(session.scalars(its.order_by(WebhookDelivery.id)))


def finish_a_job(db: Database, blobs: Blobs, person: str) -> UUID:
    job = make_job(db, make_upload(db, blobs, by=person), by=person)
    run_job(db, job)
    return job


def make_role(db: Database, name: str, role: Role) -> None:
    with db.write() as session:
        accounts.get_or_create_user(session, name).role = role


def test_the_end_of_a_job_is_one_event_with_ids_counts_and_links(db: Database, blobs: Blobs, version: int) -> None:
    endpoint = add_endpoint(db, ADA)
    job = finish_a_job(db, blobs, ADA)
    with db.read() as session:
        (delivery,) = session.scalars(select(WebhookDelivery))
    assert (delivery.endpoint_id, delivery.event) == (endpoint, "job.done")
    counts = delivery.data.pop("counts")
    assert counts["done"] + counts["failed"] == counts["total"] > 0
    assert delivery.data == {
        "job": str(job),
        "state": "done",
        "version": version,
        "links": {"api": f"/api/v1/jobs/{job}", "page": f"/jobs/{job}"},
    }


def test_an_end_that_is_undone_is_no_event(db: Database, blobs: Blobs) -> None:
    endpoint, job = add_endpoint(db, ADA), make_job(db, make_upload(db, blobs, by=ADA), by=ADA)
    with db.read() as session:  # it ends without a commit, as a process that is killed
        job_states.cancel_job(session, as_person(session, ADA), job)
    assert sent(db, endpoint) == []


def test_events_go_to_those_whom_they_concern(db: Database, blobs: Blobs) -> None:
    hers, his = add_endpoint(db, ADA), add_endpoint(db, BOB)
    make_role(db, BOB, Role.ADMIN)
    everybodys = add_endpoint(db, BOB, is_for_everybody=True)
    finish_a_job(db, blobs, ADA)
    assert (sent(db, hers), sent(db, his), sent(db, everybodys)) == (["job.done"], [], ["job.done"])


def test_an_endpoint_gets_the_types_that_it_asks_for(db: Database, blobs: Blobs) -> None:
    endpoint = add_endpoint(db, ADA, ["job.cancelled"])
    finish_a_job(db, blobs, ADA)
    job = make_job(db, make_upload(db, blobs, by=ADA), by=ADA)
    with db.write() as session:
        job_states.cancel_job(session, as_person(session, ADA), job)
    assert sent(db, endpoint) == ["job.cancelled"]


def test_endpoints_that_are_off_deleted_or_of_disabled_people_get_nothing(db: Database, blobs: Blobs) -> None:
    off, deleted, disabled = add_endpoint(db, ADA), add_endpoint(db, ADA), add_endpoint(db, BOB)
    make_role(db, BOB, Role.ADMIN)
    everybodys = add_endpoint(db, BOB, is_for_everybody=True)
    with db.write() as session:
        ada = as_person(session, ADA)
        endpoints.update_endpoint(session, ada, off, {"is_on": False}, PUBLIC_ONLY)
        endpoints.delete_endpoint(session, ada, deleted)
        accounts.get_or_create_user(session, BOB).disabled_at = accounts.get_or_create_user(session, ADA).created_at
    finish_a_job(db, blobs, ADA)
    assert [sent(db, one) for one in (off, deleted, disabled, everybodys)] == [[], [], [], []]


def test_an_endpoint_gets_nothing_while_the_role_of_its_person_does_not_allow_it(db: Database, blobs: Blobs) -> None:
    make_role(db, BOB, Role.ADMIN)
    own, everybodys = add_endpoint(db, BOB), add_endpoint(db, BOB, is_for_everybody=True)

    def get() -> list[list[str]]:
        before = [len(sent(db, own)), len(sent(db, everybodys))]
        finish_a_job(db, blobs, BOB)
        return [sent(db, own)[before[0] :], sent(db, everybodys)[before[1] :]]

    got = {}
    for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN):
        make_role(db, BOB, role)
        got[role] = get()
        with db.read() as session:
            found = endpoints.list_endpoints(session, as_owner(session))
            reasons = endpoints.find_paused(session, found)
        assert [not one for one in got[role]] == [own in reasons, everybodys in reasons]
    assert got == {
        Role.VIEWER: [[], []],
        Role.MEMBER: [["job.done"], []],
        Role.ADMIN: [["job.done"], ["job.done"]],
    }


def test_an_endpoint_for_everybody_is_handed_over_and_that_of_a_person_is_not(db: Database, blobs: Blobs) -> None:
    make_role(db, BOB, Role.ADMIN)
    own, everybodys = add_endpoint(db, BOB), add_endpoint(db, BOB, is_for_everybody=True)
    with db.write() as session:
        handover.hand_over_all(session, as_owner(session), BOB, accounts.OWNER)
    make_role(db, BOB, Role.VIEWER)
    finish_a_job(db, blobs, ADA)
    assert (sent(db, own), sent(db, everybodys)) == ([], ["job.done"])


def test_the_backlog_counts_what_active_endpoints_have_not_accepted(db: Database) -> None:
    hers, his = add_endpoint(db, ADA), add_endpoint(db, BOB)
    with db.write() as session:
        assert outbox.read_backlog(session) == Backlog(0, 0.0)
        for person, endpoint in ((ADA, hers), (BOB, his)):
            endpoints.send_test(session, as_person(session, person), endpoint)
        session.execute(update(WebhookDelivery).values(occurred_at=db_now(-60)))
        endpoints.update_endpoint(session, as_person(session, BOB), his, {"is_on": False}, PUBLIC_ONLY)
    with db.read() as session:
        backlog = outbox.read_backlog(session)
    assert (backlog.n_messages, 60 <= backlog.oldest_s < 600) == (1, True)


def test_a_training_that_fails_is_an_event_of_its_own(db: Database, blobs: Blobs) -> None:
    endpoint = add_endpoint(db, accounts.OWNER)
    training = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        claim = claims.claim_training(session, claims.list_waiting(session, 1)[0], None, 60)
        assert claim is not None
        claims.fail(session, claim, "No.")
    assert sent(db, endpoint) == ["training.failed"]
    with db.read() as session:
        assert session.scalars(select(WebhookDelivery.data)).one()["job"] == str(training)


def test_which_version_is_in_use_concerns_everybody(db: Database, version: int) -> None:
    endpoint, other = add_endpoint(db, ADA), make_version(db, "seed-cnn", b"w")
    with db.write() as session:
        registry.promote(session, other, as_owner(session))
        registry.promote(session, other, as_owner(session))  # it is in use already
        registry.roll_back(session, None, as_owner(session))
    assert sent(db, endpoint) == ["version.promoted", "version.rolled_back"]


def test_a_failed_run_is_an_event_for_whom_the_schedule_acts_as(db: Database) -> None:
    make_role(db, ADA, Role.ADMIN)
    hers, his = add_endpoint(db, ADA), add_endpoint(db, BOB)
    with db.write() as session:
        new = NewSchedule("Clean", "clean_up", "0 3 * * *", parameters={"older_than_days": 9})
        schedule = schedules.create_schedule(session, as_person(session, ADA), new, [])
        run = due_runs.run_now(session, as_person(session, ADA), schedule.id)
        claim = runs.claim_run(session, run.id, 60)
        assert claim is not None
        runs.end_run(session, claim, RunState.FAILED, "No.")
    assert (sent(db, hers), sent(db, his)) == (["schedule.failed"], [])


def test_only_admins_have_endpoints_for_everybodys_events(db: Database) -> None:
    with pytest.raises(Forbidden):
        add_endpoint(db, ADA, is_for_everybody=True)


def test_an_endpoint_is_its_owners(db: Database) -> None:
    endpoint = add_endpoint(db, ADA)
    rotate = partial(endpoints.rotate_secret, cipher=CIPHER)
    for act in (endpoints.get_own_endpoint, rotate, endpoints.delete_endpoint, endpoints.send_test):
        with pytest.raises(Forbidden), db.write() as session:
            act(session, as_person(session, BOB), endpoint)
    with db.read() as session:
        assert [one.id for one in endpoints.list_endpoints(session, as_person(db, ADA))] == [endpoint]
        assert endpoints.list_endpoints(session, as_person(db, BOB)) == []


def test_a_wrong_event_a_wrong_address_and_too_many_endpoints_are_refused(db: Database) -> None:
    with pytest.raises(Invalid, match=r"job\.done"):
        add_endpoint(db, ADA, ["job.finished"])
    with pytest.raises(Invalid, match="inside the network"):
        add_endpoint(db, ADA, url="https://10.0.0.1/")
    for _ in range(MAX_ENDPOINTS):
        endpoint = add_endpoint(db, ADA, SUBSCRIBABLE)
    with pytest.raises(Conflict, match="Delete one first"):
        add_endpoint(db, ADA)
    with db.write() as session:
        endpoints.delete_endpoint(session, as_person(session, ADA), endpoint)
    add_endpoint(db, ADA)


def test_a_deleted_endpoint_keeps_neither_address_nor_secret(db: Database) -> None:
    endpoint = add_endpoint(db, ADA)
    with db.write() as session:
        endpoints.delete_endpoint(session, as_person(session, ADA), endpoint)
        row = session.get_one(WebhookEndpoint, endpoint)
        assert (row.url, row.secret, row.name) == ("", "", "")
    with pytest.raises(Gone), db.write() as session:
        endpoints.rotate_secret(session, as_person(session, ADA), endpoint, CIPHER)


def test_a_secret_that_the_key_cannot_read_does_not_keep_the_new_one_from_signing(db: Database) -> None:
    endpoint = add_endpoint(db, ADA)
    for cipher, signs_too in ((CIPHER, True), (SecretCipher("another key"), False)):
        with db.write() as session:
            made = endpoints.rotate_secret(session, as_person(session, ADA), endpoint, cipher).endpoint
            assert (made.previous_secret is not None) == signs_too


def test_what_is_done_with_endpoints_is_on_record_without_secrets(db: Database) -> None:
    endpoint = add_endpoint(db, ADA)
    with db.write() as session:
        ada = as_person(session, ADA)
        first = CIPHER.decrypt(session.get_one(WebhookEndpoint, endpoint).secret)
        second = endpoints.rotate_secret(session, ada, endpoint, CIPHER).secret
        delivery_list.replay(session, ada, endpoint, endpoints.send_test(session, ada, endpoint).id)
        delivery_list.replay_failed(session, ada, endpoint)
        endpoints.update_endpoint(session, ada, endpoint, {"is_on": False}, PUBLIC_ONLY)
        endpoints.delete_endpoint(session, ada, endpoint)
    with db.read() as session:
        entries = list(session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "webhook")))
    actions = [one.action.removeprefix("webhook.") for one in entries]
    assert actions == ["create", "rotate", "replay", "replay", "change", "delete"]
    assert first != second
    assert not any(secret in str(one.details) for one in entries for secret in (first, second))


def test_an_error_of_the_database_does_not_show_the_secret(db: Database) -> None:
    endpoint = add_endpoint(db, ADA)
    with db.read() as session:
        row = session.get_one(WebhookEndpoint, endpoint)
    values = {"id": endpoint, "user_id": row.user_id, "name": "again", "url": URL, "events": [], "secret": row.secret}
    with pytest.raises(IntegrityError) as raised, db.write() as session:
        session.execute(insert(WebhookEndpoint).values(values))
    assert row.secret not in str(raised.value)
