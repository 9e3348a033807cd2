"""Labels from the shell: sort pictures by them, import corrections and tables, withdraw those of folders."""
