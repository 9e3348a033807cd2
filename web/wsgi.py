"""What gunicorn loads: `gunicorn web.wsgi:app`."""

from core.base.config import load_settings
from core.operations.log_setup import set_up_logs
from web.app import create_app
from web.http.malloc import give_memory_back
from web.http.metrics_flush import count_beside

set_up_logs()
give_memory_back()
app = create_app(load_settings())
count_beside(app)
