"""One chronological view of a chart: times, vitals, interventions, narratives, transitions."""
