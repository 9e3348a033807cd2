"""What README and docs show as code: collected from the Markdown, taken apart, and checked."""
