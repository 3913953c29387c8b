"""Records for the workflows of later modules (directive 16). This package only stores and lists them."""
