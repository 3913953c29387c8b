"""The patient care report of one patient as people read it: a PDF for hospitals, patients, courts and appeals."""
