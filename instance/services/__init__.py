"""Single services with your own servers, as in containers: check the servers, then exec the program.

It imports `instance.base`.
"""
