"""Light networks that answer where they are sure, and leave the rest to an accurate one."""
