"""What the agency charges for each service, and what it has agreed with payers, by date of service."""
