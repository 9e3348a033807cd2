"""The networks: arrays and weight files in, arrays and weight files out. NumPy, Keras and TensorFlow only.

It never imports `core`, `web`, `worker`, Pillow, Celery or SQLAlchemy.
"""
