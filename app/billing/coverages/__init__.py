"""Who pays for a patient: the coverages of a call and of a billing account."""
