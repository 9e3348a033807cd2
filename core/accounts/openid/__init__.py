"""Logging in by an OpenID Connect provider: the authorization code flow with PKCE, and whose account it opens.

    settings ─► ProviderClient.start ─► the provider's page ─► ProviderClient.finish ─► Claims ─► identities ─► person

Authlib and requests are in the web's installation only, and take a fifth of a second to import: only what asks a
provider imports `provider`.
"""
