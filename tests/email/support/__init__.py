"""What the email tests are made of: outside systems that speak their protocols, and people to write to."""
