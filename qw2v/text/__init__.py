"""Text read, split into words, and counted: from files to exact tables of pairs."""
