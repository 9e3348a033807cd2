"""Pages of labels and of reviewing."""
