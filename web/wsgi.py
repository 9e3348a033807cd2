"""What gunicorn loads: `gunicorn web.wsgi:app`."""

from core.config import load_settings
from core.logs import set_up_logs
from web.app import create_app

set_up_logs()
app = create_app(load_settings())
