"""Personnel: the people who crew an agency's vehicles, whether or not they sign in here."""
