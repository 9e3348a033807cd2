"""The System page and the help page."""
