"""A small travel agency: workflows of every kind for pages that show them."""
