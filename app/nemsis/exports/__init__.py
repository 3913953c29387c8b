"""NEMSIS exports: one per patient, from validation to the stored document."""
