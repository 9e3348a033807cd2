"""docker-compose.yml in a real container engine: `make test-containers`.

`engine` has an engine of its own on a bare Debian machine, `images` builds what its images stand on without a registry,
`project` is one installation.
"""
