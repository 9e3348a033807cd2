"""What people do with jobs in the queue: pause and resume them, let them go first, retry those that failed."""
