"""`flopod dev`: a control plane whose build is the source as it is on disk."""
