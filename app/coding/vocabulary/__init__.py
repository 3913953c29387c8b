"""The words that ambulance crews use: the shipped vocabulary, and each agency's own terms on top of it."""
