"""What several pages share: words for numbers and times, and charts."""
