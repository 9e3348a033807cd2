"""What all other packages use: settings, errors, the database, its clock and leases, paging, the network catalog.

It imports no other package of the project. The tables are in `core.orm`.
"""
