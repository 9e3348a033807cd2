"""The workshop in which the shipped networks are made: `python -m pretraining`. Not part of any image.

It imports `worker`, `model` and `core`; nothing imports it.
"""
