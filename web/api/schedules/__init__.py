"""API: schedules and their runs."""
