"""People for admins: roles, invitations, password links; and the pages that these links open."""
