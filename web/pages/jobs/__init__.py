"""Pages of jobs and their pictures, and of sending uploads."""
