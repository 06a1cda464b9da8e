"""A shop for pictures of the dashboard: its orders are priced, approved, paid and sent."""
