"""A post office: workflows of every kind for `flopod dev`."""
