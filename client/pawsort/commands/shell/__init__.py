"""What a shell needs around the command: completion and man pages."""
