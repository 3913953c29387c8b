"""What all uploads share. An upload is declared first, sent with a link, and checked when it is complete."""
