"""What is said on an ambulance: the shipped vocabulary, and each agency's own terms on top of it."""
