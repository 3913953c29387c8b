"""ClaimExports: 837P files made of approved claims, in the object store, with a record per claim."""
