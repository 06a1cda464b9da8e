"""A small shop: orders are priced, approved when they are large, reserved, scored and charged."""
