"""FusionEMS Quantum: the backend of an ambulance agency, one modular monolith."""
