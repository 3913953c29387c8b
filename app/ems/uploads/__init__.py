"""The common parts of all uploads. An upload is declared first, sent with a link, and checked when it is complete."""
