"""Pages of labels, reviews and audits."""
