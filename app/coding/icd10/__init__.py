"""ICD-10-CM: diagnoses, causes of injury, places and activities."""
