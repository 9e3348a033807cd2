"""API: people and invitations."""
