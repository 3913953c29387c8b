"""NEMSIS 3.5.1: validation, the EMSDataSet document, and its export."""
