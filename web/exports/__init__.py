"""Results that leave: CSV, JSON Lines, Parquet, zip, report.

It imports `core` and `web.http`.
"""
