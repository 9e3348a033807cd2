"""API: uploads, shards and archives."""
