"""The way in: the token once, and a session of the browser after that."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flopod.server import sessions
from flopod.server.pages.posted import one, posted
from flopod.server.pages.site import Site
from flopod.server.settings import Settings


class LoginPages:
    """The pages of the way in and out."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self._site = site
        self._settings = settings

    def page(self, request: Request) -> Response:
        """Ask for the token, if one is needed."""
        following = sessions.local_path(request.query_params.get("next", "/"))
        if self._settings.token is None:
            return RedirectResponse(following, 303)
        return self._site.pages.page("login.html", following=following, error="")

    async def log_in(self, request: Request) -> Response:
        """Begin a session for who has the token."""
        fields = await posted(request)
        following = sessions.local_path(one(fields, "next"))
        cookie = sessions.log_in(self._settings, one(fields, "token").strip(), secure=_is_secure(request))
        if cookie is None:
            error = "That is not the token of this server."
            return self._site.pages.page("login.html", 401, following=following, error=error)
        return RedirectResponse(following, 303, {"Set-Cookie": cookie})

    async def log_out(self, request: Request) -> Response:
        """End the session of this browser."""
        cookie = sessions.log_out(secure=_is_secure(request))
        return RedirectResponse("/ui/login", 303, {"Set-Cookie": cookie})


def _is_secure(request: Request) -> bool:
    """Whether the browser came by https: it says so of the page with the form; TLS may end before us."""
    return request.headers.get("origin", "").startswith("https://")
