"""The WSGI application: `gunicorn web.wsgi:app`."""

from core.base.config import load_settings
from core.operations.log_setup import set_up_logs
from core.operations.start_gate import wait_until_open
from web.app import create_app
from web.http.metrics_writer import write_periodically
from web.server.malloc import return_freed_memory

set_up_logs()
return_freed_memory()
_settings = load_settings()
app = create_app(_settings)
wait_until_open(_settings.data_dir)  # nothing has used the database so far
write_periodically(app)
