"""Model versions from the shell: list, promote, roll back, and find a threshold."""
