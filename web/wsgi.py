"""The WSGI application: `gunicorn web.wsgi:app`."""

from core.base.config import load_settings
from core.operations.log_setup import set_up_logs
from web.app import create_app
from web.http.metrics_writer import write_periodically
from web.server.malloc import return_freed_memory

set_up_logs()
return_freed_memory()
app = create_app(load_settings())
write_periodically(app)
