"""What people and CI run in a checkout."""
