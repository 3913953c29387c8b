"""The index of a code set in this process, updated with its release, and the agency's vocabulary for a query."""
