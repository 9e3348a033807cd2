"""The System page, the audit log, the help page, and the pages of problem types."""
