"""Many random programs by seed and size, outside of the ordinary test run."""
