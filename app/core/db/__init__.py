"""The write path: classified columns, sealed entities, compiled statements, one committer."""
