"""The control plane: runs over HTTP, and a dashboard. Needs starlette, uvicorn and jinja2."""
