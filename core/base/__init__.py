"""What all other packages use: settings, errors, the database and its clock, paging, the network catalog.

It imports no other package of the project. The tables are in `core.orm`.
"""
