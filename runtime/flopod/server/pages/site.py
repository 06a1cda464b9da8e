"""What all pages have: the templates, and the runs that they are about."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from flopod.backends.base import Backend, now_ms
from flopod.graph import CSS
from flopod.manifest import WorkflowEntry
from flopod.server.host import Build, Host
from flopod.server.pages.jsonview import data_html, json_html
from flopod.server.pages.logs import Logs
from flopod.server.problems import NOT_FOUND, Refused, detail_of, kind_of
from flopod.server.views import words

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What a browser gets as it is, by the endings of the names."""


class Static(NamedTuple):
    """A file that a browser keeps; `etag` changes with its content."""

    content: bytes
    type: str
    etag: str


class Templates:
    """The templates of the dashboard. `files` are their texts by name, with styles and scripts.

    `bar`, if there is one, makes what stands above every page.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.static = {
            name: _static(text, TYPES[ending])
            for name, text in {**files, "graph.css": CSS}.items()
            if (ending := PurePath(name).suffix) in TYPES
        }
        self.bar: Callable[[], Markup] | None = None
        self._environment = Environment(
            loader=DictLoader(files),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "duration": words.duration,
            "moment": words.moment,
            "iso": words.iso,
            "ago": words.ago,
            "counted": words.counted,
            "sentence": words.sentence,
            "json": json_html,
            "data": data_html,
        }
        self._environment.globals |= {"static": self._url, "has_login": False}

    def load(self) -> None:
        """Make all templates ready, so that the first page is as fast as the others."""
        for name in self._environment.list_templates(["html"]):
            self._environment.get_template(name)

    def text(self, template: str, **model: Any) -> str:
        """Fill in a template."""
        return self._environment.get_template(template).render(now=now_ms(), bar=self.bar, **model)

    def page(self, template: str, status: int = 200, **model: Any) -> HTMLResponse:
        """Fill in a template as the answer to a request."""
        return HTMLResponse(self.text(template, **model), status)

    def refusal(self, error: Exception) -> HTMLResponse:
        """Return an error as a page."""
        kind = kind_of(error)
        answer = self.page(
            "problem.html", kind.status, code=kind.status, title=kind.title, detail=detail_of(error)
        )
        answer.headers.update(error.headers if isinstance(error, Refused) else {})
        return answer

    def offer_logout(self) -> None:
        """Let pages have the button that ends a session."""
        self._environment.globals["has_login"] = True

    def _url(self, name: str) -> str:
        return f"/ui/static/{name}?v={self.static[name].etag}"


class Site:
    """The pages of one host."""

    def __init__(self, host: Host, pages: Templates) -> None:
        self.host = host
        self.pages = pages
        self.logs = Logs(host.backend)

    @property
    def backend(self) -> Backend:
        """The store of the runs."""
        return self.host.backend

    def build_of(self, build: str) -> Build | None:
        """Return the build of a run, None if it is not known here."""
        return self.host.build_of(build) if build else None


def entry_of(build: Build | None, workflow: str) -> WorkflowEntry | None:
    """Return a workflow of a build, None if it has none of that name."""
    return None if build is None else build.manifest.workflows.get(workflow)


def static_response(pages: Templates, request: Request) -> Response:
    """Return a file, or that the browser has it."""
    file = pages.static.get(request.path_params["file"])
    if file is None:
        raise Refused(NOT_FOUND, "There is no such file.")
    fresh = request.query_params.get("v") == file.etag
    headers = {
        "ETag": f'"{file.etag}"',
        "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.type, headers=headers)


def _static(text: str, kind: str) -> Static:
    content = text.encode()
    return Static(content, kind, hashlib.sha256(content).hexdigest()[:16])
