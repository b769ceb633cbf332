"""The settings of the service: one frozen object, built in one place from four sources.

Command line over `WILDGATE_*` variables over a TOML file over defaults. `Settings` is their only
table: its fields hold the types, limits, defaults and documentation that everything else prints.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from wildgate_service.cores import allowed_cores
from wildgate_service.errors import SettingsError
from wildgate_service.limiting.limit import MOST_LISTINGS
from wildgate_service.model.recipes import DEEP, encoder_folder
from wildgate_service.store import is_postgresql, mask, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TENANT = "default"  # who calls without an API key
PREFIX = "WILDGATE_"
OF_STREAM = "WILDGATE_STREAM_"  # options of `wildgate stream`, which runs apart from the service
CONFIG_VARIABLE = "WILDGATE_CONFIG"
CLIENT_PREFIX = "WILDGATE_CLIENT_"  # of what clients read: a host may run a service and a platform that asks it
LARGEST_LISTING_BYTES = 262_144  # every field at its limit, in four bytes a code point
# Kubernetes gives every container these for a Service named "wildgate"; they are not settings.
KUBERNETES_VARIABLE = re.compile(r"WILDGATE_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)")
KUBERNETES_PORT = re.compile(r"(tcp|udp)://")


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "wildgate"


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting of the service. A path is relative to the working directory."""

    host: Annotated[
        str,
        Meta(description="Address to listen on. Beyond loopback the store must hold an API key."),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port. 0 takes a free one and prints it.")] = 50051
    http_port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)] | None,
        Meta(
            description="TCP port, on the same host, of the same RPCs over HTTP with JSON (docs/http.md). Empty: none. 0 takes a free one, "
            "which the log names (http_serving). Needs the extra `http`."
        ),
    ] = None
    http_connections: Annotated[
        int,
        Meta(ge=1, description="Connections that one worker keeps on the HTTP port; what comes beyond is closed unread."),
    ] = 1024
    workers: Annotated[
        int,
        Meta(ge=0, le=512, description="Worker processes. 0: as many as whole cores that affinity and the quota of the container allow."),
    ] = 0
    store: Annotated[
        str,
        Meta(
            description="Where decisions are recorded: sqlite:///PATH (with four slashes for an absolute path), "
            "postgresql://USER@HOST/DATABASE for several replicas (docs/postgresql.md), or none to record nothing."
        ),
    ] = "sqlite:///wildgate.db"
    durability: Annotated[
        Literal["process", "disk"],
        Meta(
            description="What an answered decision survives: process (a killed process) or disk "
            "(a power cut too, at the cost of an fsync per group)."
        ),
    ] = "process"
    on_store_failure: Annotated[
        Literal["refuse", "spool"],
        Meta(
            description="What to do while the store cannot be written or is too slow: refuse (calls fail with STORE_UNAVAILABLE) or spool "
            "(decisions are answered from a file beside it, without a receipt, and recorded when the store works again)."
        ),
    ] = "refuse"
    store_patience: Annotated[
        float,
        Meta(gt=0, description="Seconds that a commit may take; a store that needs longer counts as failing until it is quick again."),
    ] = 1.0
    spool: Annotated[
        Path | None,
        Meta(
            description="File that decisions wait in while the store fails. Empty: wildgate.spool beside the secrets; best on another disk."
        ),
    ] = None
    spool_max_bytes: Annotated[int, Meta(ge=1 << 16, description="Largest size of the spool; then calls are refused.")] = 256 * 1024 * 1024
    secrets_file: Annotated[
        Path | None,
        Meta(
            description="File of the pepper of API keys and of the tenants' keys; made if missing. "
            "Empty: wildgate.secrets beside an SQLite store, else in the cache."
        ),
    ] = None
    require_keys: Annotated[
        Literal["auto", "always"],
        Meta(description="Whether calls need an API key: auto (once the store holds one) or always."),
    ] = "auto"
    limit_per_second: Annotated[
        float,
        Meta(
            ge=0,
            le=MOST_LISTINGS,
            description="Listings a second that a tenant may have scored, unless `wildgate limits` says otherwise. 0: no limit.",
        ),
    ] = 0.0
    limit_burst: Annotated[
        int,
        Meta(
            ge=0,
            le=MOST_LISTINGS,
            description="Listings that may come at once after a pause, within limit_per_second. 0: what one second allows.",
        ),
    ] = 0
    limit_per_day: Annotated[
        int,
        Meta(ge=0, le=MOST_LISTINGS, description="Listings that a tenant may have scored in a day (UTC), likewise. 0: no limit."),
    ] = 0
    bad_keys_per_minute: Annotated[
        int,
        Meta(ge=0, description="Calls with a bad key from one address in a minute; more get RESOURCE_EXHAUSTED. 0: no limit."),
    ] = 60
    lexicons: Annotated[
        Path | None,
        Meta(description="Folder of the lexicons. Empty: those that came with the service."),
    ] = None
    lexicon_packs: Annotated[
        tuple[Path, ...],
        Meta(
            description="Folders of restricted packs, loaded beside the lexicons: a list in the file, in a variable paths "
            "with the system's separator (a colon on Linux) between them."
        ),
    ] = ()
    lexicon_watch: Annotated[
        bool,
        Meta(description="Serve changed lexicons, packs and policy as soon as their files change. Without it a reload must be asked for."),
    ] = True
    policy: Annotated[
        Path | None,
        Meta(description="Policy file. Empty: the one that came with the service."),
    ] = None
    encoder: Annotated[
        Path | None,
        Meta(description="Folder of the encoder, built or exported. Empty: the one in the cache, if it was built."),
    ] = None
    models: Annotated[
        Path | None,
        Meta(
            description="Folder of the trained models: one screen-*, one heads-* and one fusion-*, as `wildgate model train` and "
            "`wildgate model fuse` write them; read when the service starts. Empty: those that came with the service."
        ),
    ] = None
    deep_encoder: Annotated[
        str,
        Meta(
            description="The deep encoder, for languages that the first cannot read: off, cached (the one that "
            "`wildgate model build --tier deep` puts into the cache), or the folder of one."
        ),
    ] = "off"
    cache: Annotated[
        Path,
        Meta(description="Folder of what is built: compiled lexicons, the encoders."),
    ] = msgspec.field(default_factory=_default_cache)
    max_in_flight: Annotated[
        int,
        Meta(
            ge=1,
            description="Listings (and other calls) that one worker holds at a time; more get RESOURCE_EXHAUSTED.",
        ),
    ] = 1024
    max_waiting: Annotated[
        int,
        Meta(
            ge=1,
            description="Calls that may wait unread for one worker; of more gRPC drops some (CANCELLED), and all from half as many again.",
        ),
    ] = 24
    longest_wait: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds by which a worker may be late for what it has taken on; while it is later, calls to score get "
            "RESOURCE_EXHAUSTED. Over a tenth of it the slow tiers are left out.",
        ),
    ] = 0.25
    max_message_bytes: Annotated[int, Meta(ge=LARGEST_LISTING_BYTES, description="Largest request, in bytes; a larger one is refused.")] = (
        4 * 1024 * 1024
    )
    drain_seconds: Annotated[
        float,
        Meta(ge=0, description="Seconds that calls in flight get to finish when the service ends."),
    ] = 10.0
    explain_default: Annotated[
        Literal["none", "taxa", "matches", "full"],
        Meta(description="Explanation given to a call that asks for none in particular."),
    ] = "matches"
    metrics_host: Annotated[
        str,
        Meta(description="Address of metrics and probes, which need no key: beyond loopback let a network policy guard it."),
    ] = "127.0.0.1"
    metrics_port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)] | None,
        Meta(
            description="TCP port of /metrics, /readyz and /livez. Empty: none. 0 takes a free one, which the log names (metrics_serving)."
        ),
    ] = None
    log_calls: Annotated[
        Literal["off", "refused", "all"],
        Meta(description="Calls that get a line in the log, with ids, code and time: none, those that were not answered, or all."),
    ] = "off"
    otel_endpoint: Annotated[
        str,
        Meta(
            description="OTLP endpoint over gRPC that traces are sent to, such as http://collector:4317. Empty: none are made. "
            "Needs the extra `otel`; what else OpenTelemetry has, it reads from its own OTEL_* variables."
        ),
    ] = ""
    otel_sample_ratio: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of calls that are traced, of those whose caller did not decide; where it did, that holds."),
    ] = 0.01
    reflection: Annotated[bool, Meta(description="Serve the gRPC reflection service, and /openapi.json on the HTTP port.")] = True
    plaintext: Annotated[
        Literal["loopback", "anywhere"],
        Meta(
            description="Where the service may be called without TLS: loopback (this machine alone), or anywhere (something else "
            "encrypts, such as a mesh or a proxy)."
        ),
    ] = "loopback"
    tls_certificate: Annotated[
        Path | None,
        Meta(description="PEM certificate chain. Empty: plaintext. Changed files of TLS are taken up without a restart."),
    ] = None
    tls_private_key: Annotated[Path | None, Meta(description="PEM key of the certificate, without a password.")] = None
    tls_client_ca: Annotated[
        Path | None,
        Meta(description="PEM of the authorities that sign client certificates: mutual TLS."),
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least level to log.")] = "info"

    def __post_init__(self) -> None:
        if bool(self.tls_certificate) != bool(self.tls_private_key):
            message = "tls_certificate and tls_private_key come together: set both or neither"
            raise SettingsError(message)
        if self.tls_client_ca and not self.tls_certificate:
            message = "tls_client_ca needs tls_certificate and tls_private_key"
            raise SettingsError(message)
        if len({pack.resolve().name for pack in self.lexicon_packs}) < len(self.lexicon_packs):
            message = "lexicon_packs: two folders have one name, which names them in versions and errors; rename one"
            raise SettingsError(message)

    @property
    def worker_count(self) -> int:
        """Worker processes to run."""
        return self.workers or allowed_cores()

    @property
    def recording(self) -> bool:
        """Whether decisions are recorded."""
        return self.store != "none"

    @property
    def encoder_path(self) -> Path:
        """The encoder's folder, said or by default, there or not."""
        return self.encoder or encoder_folder(self.cache / "encoders")

    @property
    def deep_encoder_path(self) -> Path | None:
        """The deep encoder's folder, there or not; None where it is off."""
        if self.deep_encoder == "off":
            return None
        return encoder_folder(self.cache / "encoders", DEEP) if self.deep_encoder == "cached" else Path(self.deep_encoder).expanduser()

    @property
    def secrets_path(self) -> Path:
        """The secrets file, said or by default. Raises StoreError for a store that cannot be."""
        if self.secrets_file:
            return self.secrets_file
        folder = path_of(self.store).parent if self.recording and not is_postgresql(self.store) else self.cache
        return folder / "wildgate.secrets"

    @property
    def spool_path(self) -> Path:
        """The file of the spool, said or by default, there or not."""
        return self.spool or self.secrets_path.with_name("wildgate.spool")

    @property
    def signing_key_path(self) -> Path:
        """The key that checkpoints are signed with, beside the secrets."""
        return self.secrets_path.with_name("wildgate.signing.pem")


FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


class Setting(Struct, frozen=True):
    """One line of `wildgate settings`: `value` is masked, `origin` says where it came from."""

    name: str
    value: str
    origin: str
    description: str


class Loaded(Struct, frozen=True):
    """The settings, and the origin of each by name."""

    settings: Settings
    origins: dict[str, str]

    def table(self) -> list[Setting]:
        """All settings, secrets masked, in the order of `Settings`."""
        return [Setting(name, _shown(getattr(self.settings, name)), self.origins[name], describe(name)) for name in FIELDS]


def describe(name: str) -> str:
    """Return the documentation of a setting.

    >>> describe("port")
    'TCP port. 0 takes a free one and prints it.'
    """
    meta = get_args(FIELDS[name].type)[1]
    return str(meta.description)


def load_settings(
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Loaded:
    """Merge the sources; `options` are those of the command line, None where not given.

    `environment` is `os.environ` unless given. Raises SettingsError naming the key, its source, and
    the nearest known name or the type expected.
    """
    environment = os.environ if environment is None else environment
    if config is None and environment.get(CONFIG_VARIABLE):
        config = Path(environment[CONFIG_VARIABLE])
    values: dict[str, Any] = {}
    origins = dict.fromkeys(FIELDS, "default")
    sources = (_from_file(config), _from_environment(environment), _from_options(options or {}))
    for source in sources:
        for name, (value, origin) in source.items():
            values[name], origins[name] = value, origin
    return Loaded(Settings(**values), origins)


Source = dict[str, tuple[object, str]]


def _from_file(file: Path | None) -> Source:
    if file is None:
        return {}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read the settings file {file}: {error.strerror}"
        raise SettingsError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file} is not TOML: {error}"
        raise SettingsError(message) from error
    return {name: (_converted(_known(name, str(file)), value, str(file), strict=True), str(file)) for name, value in table.items()}


def _from_environment(environment: Mapping[str, str]) -> Source:
    source: Source = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or _is_foreign(variable, text):
            continue
        name = _known(variable.removeprefix(PREFIX).lower(), variable)
        source[name] = (_converted(name, text, variable, strict=False), variable)
    return source


def _is_foreign(variable: str, text: str) -> bool:
    return (
        variable == CONFIG_VARIABLE
        or variable.startswith((OF_STREAM, CLIENT_PREFIX))
        or KUBERNETES_VARIABLE.fullmatch(variable) is not None
        or (variable == "WILDGATE_PORT" and KUBERNETES_PORT.match(text) is not None)
    )


def _from_options(options: Mapping[str, object]) -> Source:
    source: Source = {}
    for name, value in options.items():
        if value is not None:
            origin = f"--{name.replace('_', '-')}"
            source[name] = (_converted(_known(name, origin), value, origin, strict=False), origin)
    return source


def _known(name: str, origin: str) -> str:
    """Return the name itself if it is a setting."""
    if name in FIELDS:
        return name
    near = difflib.get_close_matches(name, FIELDS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`wildgate settings` lists them all"
    message = f"unknown setting {name} (from {origin}): {hint}"
    raise SettingsError(message)


def _converted(name: str, value: object, origin: str, *, strict: bool) -> Any:  # noqa: ANN401
    """Convert a value to the type of its field; "" is nothing where nothing is allowed."""
    wanted = FIELDS[name].type
    if value == "" and FIELDS[name].default is None:
        return None
    if isinstance(value, str) and not strict and get_origin(get_args(wanted)[0]) is tuple:
        value = [part for part in value.split(os.pathsep) if part]
    try:
        return msgspec.convert(value, wanted, strict=strict, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        message = f"setting {name} (from {origin}) is {value!r}: {error}. {_expected(name)}"
        raise SettingsError(message) from error


def _to_path(wanted: type, value: object) -> Path:
    del wanted
    if not isinstance(value, str | Path):
        message = f"Expected a path, got `{type(value).__name__}`"
        raise ValueError(message)  # noqa: TRY004  (msgspec turns it into a ValidationError)
    return Path(value).expanduser()


def _expected(name: str) -> str:
    kind = get_args(FIELDS[name].type)[0]
    choices = get_args(kind)
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"Choose one of {', '.join(choices)}"
    return describe(name)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return os.pathsep.join(map(str, value))
    return mask(str(value)) if value is not None else ""
