"""EMS: the ePCR clinical engine of directive section 5."""
