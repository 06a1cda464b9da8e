"""`flopod dev` as a process, asked over HTTP and looked at in a browser."""
