"""All pages, and the filters that their templates use."""

from flask import Flask

from web.pages.account import account, login, password, provider_login, role_notice
from web.pages.common.names import register_names
from web.pages.common.words import register_words
from web.pages.jobs import corrections, failures, imports, job_view, jobs, pictures, queue, uploads
from web.pages.jobs.listing import edit_job, selected_jobs
from web.pages.labels import folder_labels, label_checks, labels, neither, review
from web.pages.models import comparison, models
from web.pages.people import invitations, people
from web.pages.schedules import schedules
from web.pages.system import audit_log, problems, system, theme
from web.pages.system import help as help_page
from web.pages.system import queue as system_queue
from web.pages.training import training
from web.pages.webhooks import deliveries, endpoints

PAGES = (
    jobs.pages,
    queue.pages,
    edit_job.pages,
    selected_jobs.pages,
    uploads.pages,
    imports.pages,
    pictures.pages,
    failures.pages,
    corrections.pages,
    labels.pages,
    label_checks.pages,
    review.pages,
    neither.pages,
    folder_labels.pages,
    models.pages,
    comparison.pages,
    training.pages,
    schedules.pages,
    system.pages,
    audit_log.pages,
    login.pages,
    account.pages,
    endpoints.pages,
    deliveries.pages,
    role_notice.pages,
    password.pages,
    provider_login.pages,
    people.pages,
    invitations.pages,
    system_queue.pages,
    theme.pages,
    help_page.pages,
    problems.pages,
)


def register_pages(app: Flask) -> None:
    """Add every page to the app, and the words and names that templates use."""
    register_words(app)
    register_names(app)
    theme.register_theme(app)
    role_notice.register_role_notice(app)
    app.jinja_env.globals["job_view"] = job_view
    for pages in PAGES:
        app.register_blueprint(pages)
