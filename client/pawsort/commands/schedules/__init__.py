"""Schedules from the shell."""
