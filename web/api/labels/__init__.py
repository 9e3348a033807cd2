"""API: labels, reviews, random samples, corrections, label quality."""
