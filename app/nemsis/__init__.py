"""NEMSIS: mapping, validation and export of charts as 3.5.1 EMSDataSet documents (directive section 7)."""
