"""Programs that run alone with servers of their own, as in containers: checks first, then exec.

It imports `instance.supervisor`.
"""
