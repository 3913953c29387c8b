"""The claim: what one payer is asked to pay for one patient's transport, with its service lines."""
