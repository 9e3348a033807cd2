"""API: labels, reviews, audits, corrections, label quality."""
