"""Work on the incident, the head of a chart: opening, revising, transitions, the lock."""
