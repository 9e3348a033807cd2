"""People and invitations."""
