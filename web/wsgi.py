"""What gunicorn loads: `gunicorn web.wsgi:app`."""

from core.config import load_settings
from web.app import create_app

app = create_app(load_settings())
