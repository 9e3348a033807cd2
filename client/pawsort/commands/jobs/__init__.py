"""Jobs from the shell: list and show them, read and export their results, cancel, pause and retry them."""
