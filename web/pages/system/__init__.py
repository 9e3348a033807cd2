"""The page 'System'."""
