"""What web, worker and instance share: settings, tables, storage, and the services over them. Packages by subject.

It never imports Flask, TensorFlow, `model`, `web` or `worker`. `docs/architecture.md` has the order of the packages.
"""
