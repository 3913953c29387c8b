"""The measurements behind the claims about speed. Each compares its subject with a rival in one and the same run."""
