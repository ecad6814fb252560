"""What does this label display? AIMS's side beside the database's (`showing.show_label`), and as a drawing."""
