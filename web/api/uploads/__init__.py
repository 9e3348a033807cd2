"""API: uploads, shards, archives, and imports of folders of the server."""
