"""Labels from the shell: sort pictures by them, import corrections, withdraw those of folders."""
