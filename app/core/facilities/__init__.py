"""Facilities: hospitals, nursing homes and other places that an agency's patients come from and go to."""
