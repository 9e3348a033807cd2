"""Tools that make the shipped networks: `python -m pretraining`. Not part of any container image.

It imports `worker`, `model` and `core`; nothing imports it.
"""
