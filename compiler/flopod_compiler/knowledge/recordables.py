"""What differs from run to run and is recorded once: clock, random numbers, identities, the environment."""

from __future__ import annotations

from flopod_compiler.knowledge.known import RECORDABLE, Known, words

_RECORDABLE = """
    time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns
    time.process_time time.process_time_ns time.thread_time time.thread_time_ns time.localtime time.ctime
    time.mktime time.get_clock_info time.clock_gettime time.clock_gettime_ns time.clock_getres
    datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today
    pendulum.now pendulum.today pendulum.tomorrow pendulum.yesterday arrow.now arrow.utcnow
    random.random random.uniform random.randint random.randrange random.choice random.choices random.sample
    random.getrandbits random.randbytes random.gauss random.normalvariate random.expovariate
    random.triangular random.betavariate random.gammavariate random.lognormvariate random.paretovariate
    random.vonmisesvariate random.weibullvariate random.binomialvariate
    secrets.token_hex secrets.token_bytes secrets.token_urlsafe secrets.choice secrets.randbelow
    secrets.randbits os.urandom
    uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.uuid8 uuid.getnode
    os.getenv os.getenvb os.environ.get os.environ.copy os.environ.items os.environ.keys os.environ.values
    os.getpid os.getppid os.getcwd os.cpu_count os.process_cpu_count os.getlogin os.getuid os.getgid os.uname
    os.getcwdb os.getegid os.geteuid os.getgroups os.getpgrp os.getresgid os.getresuid os.getrandom
    os.get_exec_path os.getloadavg os.path.abspath os.path.expanduser os.path.expandvars os.get_terminal_size
    socket.gethostname socket.getfqdn getpass.getuser tempfile.gettempdir tempfile.gettempprefix
    pathlib.Path.cwd pathlib.Path.home locale.getlocale locale.getdefaultlocale locale.getpreferredencoding
    locale.localeconv shutil.get_terminal_size sys.getfilesystemencoding
    traceback.format_exc traceback.format_exception traceback.format_stack traceback.format_tb
    ulid.new nanoid.generate
"""

RECORDABLE_TABLE: dict[str, Known] = dict.fromkeys(words(_RECORDABLE), RECORDABLE)

RECORDABLE_MODULES = frozenset({"platform"})

NOW_WITHOUT_ARGUMENT = {
    "time.gmtime": 1,
    "time.asctime": 1,
    "time.strftime": 2,
    "datetime.datetime.fromtimestamp": 2,
    "arrow.get": 1,
}
"""Functions that read the clock or the local zone when they are given fewer arguments than this."""

ENVIRONMENT_VALUES = frozenset(
    words("""
    sys.argv sys.platform sys.version sys.version_info sys.executable sys.path sys.flags sys.byteorder
    sys.maxsize sys.hexversion sys.implementation os.name os.sep os.linesep os.pathsep os.curdir time.tzname
    time.timezone time.altzone time.daylight
    """)
)
"""Variables outside the project that are recorded when a workflow reads them."""

ENVIRONMENT = "os.environ"
