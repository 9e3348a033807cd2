"""The list of jobs: its filter, names and tags, and actions on several jobs at once."""
