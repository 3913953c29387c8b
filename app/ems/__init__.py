"""EMS clinical engine: incidents, patients, and everything a medic charts about them."""
