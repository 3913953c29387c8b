"""The people who are responsible for bills, and the calls that belong to each."""
