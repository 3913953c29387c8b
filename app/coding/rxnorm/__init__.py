"""RxNorm: medications by ingredient, brand and clinical drug."""
