"""Loading pictures whole or in part: what the end of a file lacks, and how much of the picture came before it.

    bytes ─► structure (limits, repairs) ─► Pillow ─► all rows, or the rows that are there ─► Picture

A picture with at least nine tenths of its rows is used; with fewer it is truncated. Rows that are not there repeat the
nearest one that is: black or grey ones would be content, and without them the squeeze would change all others.
"""
