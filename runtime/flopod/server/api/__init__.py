"""The handlers of the HTTP API, one noun a module."""
