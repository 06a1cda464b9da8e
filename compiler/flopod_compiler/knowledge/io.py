"""Functions that talk to the world: files, processes, the network."""

from __future__ import annotations

from flopod_compiler.knowledge.known import words

_FUNCTIONS = frozenset(
    words(
        "system popen remove unlink rename replace rmdir mkdir makedirs removedirs truncate link symlink",
        "os.",
    )
    + words("copy copy2 copyfile copytree move rmtree", "shutil.")
    + words("run call check_call check_output Popen", "subprocess.")
    + words("get post put patch delete head options request stream", "httpx.")
    + words("get post put patch delete head options request", "requests.")
    + words("urllib.request.urlopen urllib.request.urlretrieve socket.create_connection input builtins.input")
    + words("time.sleep webbrowser.open")
)


def does_io(qualified: str) -> bool:
    """Whether calling a function outside the project is known to do something to, or wait for, the world."""
    return qualified in _FUNCTIONS
