"""Tables in files: read and written row by row, whatever the kind of file."""
