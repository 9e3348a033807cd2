"""What is special about connections to each kind of database."""
