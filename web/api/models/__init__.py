"""API: model versions and their evaluation."""
