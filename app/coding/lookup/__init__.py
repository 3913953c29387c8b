"""The index of a code set in this process, kept in step with its release, and the agency's vocabulary for a query."""
