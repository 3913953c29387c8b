"""Advance beneficiary notices (ABN, form CMS-R-131): the patient knew that Medicare might not pay."""
