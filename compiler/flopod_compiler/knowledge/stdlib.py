"""The standard library and a few data libraries: pure modules and functions, and their exceptions."""

from __future__ import annotations

from flopod_compiler.knowledge.known import LEAF, PURE, Known, pure, words

PURE_MODULES = frozenset(
    words("""
    abc array ast attr attrs base64 binascii bisect calendar cmath collections collections.abc colorsys copy
    dataclasses datetime decimal difflib enum fractions functools graphlib hashlib heapq hmac html
    html.entities inspect ipaddress itertools json json.decoder json.encoder keyword math msgspec msgspec.json
    msgspec.msgpack msgspec.structs msgspec.toml msgspec.yaml numbers operator re reprlib statistics string
    stringprep struct textwrap token tomllib types typing typing_extensions unicodedata urllib.parse uuid zlib
    zoneinfo pydantic pydantic.dataclasses cattrs
    """)
)
"""Modules whose functions and classes are pure, except those that a table names otherwise."""

_PURE_FUNCTIONS = """
    os.fspath os.fsencode os.fsdecode os.path.join os.path.basename os.path.dirname os.path.split
    os.path.splitext os.path.splitdrive os.path.normpath os.path.normcase os.path.commonpath
    os.path.commonprefix os.path.isabs os.strerror
    pathlib.PurePath pathlib.PurePosixPath pathlib.PureWindowsPath pathlib.Path pathlib.PosixPath
    time.gmtime time.strptime time.asctime time.strftime time.struct_time
    secrets.compare_digest random.Random
    shlex.split shlex.quote shlex.join csv.reader csv.writer csv.DictReader csv.DictWriter csv.Sniffer
    io.StringIO io.BytesIO gzip.compress gzip.decompress bz2.compress bz2.decompress lzma.compress
    lzma.decompress pprint.pformat pprint.saferepr pprint.isreadable quopri.encodestring quopri.decodestring
    contextlib.suppress contextlib.nullcontext contextlib.ExitStack contextlib.closing
    contextlib.AsyncExitStack
    contextlib.contextmanager contextlib.asynccontextmanager
    logging.getLogger logging.getLevelName logging.basicConfig logging.NullHandler
    warnings.simplefilter warnings.filterwarnings warnings.catch_warnings
    sys.intern sys.getsizeof sys.exc_info sys.exception sys.getrecursionlimit sys.getdefaultencoding
    fnmatch.fnmatch fnmatch.fnmatchcase fnmatch.filter fnmatch.translate mimetypes.guess_type
    http.HTTPStatus http.HTTPMethod email.utils.parseaddr email.utils.formataddr email.utils.parsedate
    email.utils.parsedate_to_datetime email.utils.format_datetime xml.sax.saxutils.escape
    xml.sax.saxutils.unescape xml.sax.saxutils.quoteattr xml.etree.ElementTree.fromstring
    xml.etree.ElementTree.tostring marshal.dumps marshal.loads pickle.dumps pickle.loads
    codecs.encode codecs.decode locale.strcoll gettext.NullTranslations weakref.WeakKeyDictionary
"""

_LEAVES = """
    json.load json.dump hashlib.file_digest tomllib.load statistics.NormalDist.samples
    calendar.prcal calendar.prmonth calendar.TextCalendar.prmonth html.parser.HTMLParser
    inspect.getsource inspect.getsourcelines inspect.getfile inspect.getsourcefile
    zoneinfo.available_timezones random.shuffle pydantic.BaseSettings os.path.realpath
    msgspec.json.Encoder msgspec.json.Decoder
"""

_CHANGING: dict[str, Known] = {
    **dict.fromkeys(words("heappush heappop heapify heappushpop heapreplace", "heapq."), pure(0)),
    **dict.fromkeys(words("insort insort_left insort_right", "bisect."), pure(0)),
    **dict.fromkeys(
        words("setitem delitem iadd isub imul ior iand ixor iconcat itruediv ifloordiv imod", "operator."),
        pure(0),
    ),
    "struct.pack_into": pure(1),
    "copy.replace": PURE,
}

STDLIB_TABLE: dict[str, Known] = {
    **dict.fromkeys(words(_PURE_FUNCTIONS), PURE),
    **dict.fromkeys(words(_LEAVES), LEAF),
    **_CHANGING,
}

PURE_BASES = frozenset(
    words("""
    builtins.object builtins.dict builtins.list builtins.set builtins.frozenset builtins.tuple builtins.str
    builtins.int builtins.float builtins.bytes builtins.type collections.UserDict collections.UserList
    collections.OrderedDict collections.defaultdict collections.Counter collections.deque
    collections.namedtuple typing.NamedTuple typing.TypedDict typing.Generic typing.Protocol
    typing_extensions.NamedTuple typing_extensions.TypedDict typing_extensions.Protocol abc.ABC enum.Enum
    enum.IntEnum enum.StrEnum enum.Flag enum.IntFlag msgspec.Struct pydantic.BaseModel pydantic.RootModel
    datetime.datetime datetime.date datetime.time datetime.timedelta datetime.tzinfo decimal.Decimal
    fractions.Fraction pathlib.PurePath pathlib.PurePosixPath json.JSONEncoder json.JSONDecoder
    string.Template string.Formatter ast.NodeVisitor ast.NodeTransformer contextlib.ContextDecorator
    contextlib.AbstractContextManager
    """)
)
"""Classes outside the project whose construction is pure, as bases of project classes."""


def is_pure_base(qualified: str) -> bool:
    """Whether instances of a subclass of a class outside the project are made without effects."""
    if qualified in PURE_BASES:
        return True
    module, _, name = qualified.rpartition(".")
    return module == "builtins" and name.endswith(_EXCEPTIONS)


_EXCEPTIONS = ("Error", "Exception", "Warning", "Group", "Interrupt", "Exit", "Iteration")
