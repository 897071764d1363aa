"""A client of the Admin API as spec/admin-core.md says that the Python tools are one (7.2, 7.3, 10, 11, and the formats of 3.6, 4.4 and 8).

It is strict: whatever the real one would trip over raises here too. Nothing of it was made after the original, only after the specification.
"""
import builtins
import re
import socket


class QubesException(Exception):
    """The text of this one and of those below is what printf makes of a format; numbers among the arguments are numbers."""

    def __init__(self, message_format, *args):
        super().__init__(message_format % tuple(int(arg) if arg.isdigit() else arg for arg in args))


class ProtocolError(Exception):
    """The text is taken as it is."""


class PermissionDenied(Exception):
    """The text is taken as it is."""


class QubesDaemonAccessError(QubesException):
    """There was no reply."""


# Those that the tools also catch as errors of a dictionary or an attribute.
FAMILY = {
    "": "QubesVMInvalidUUIDError QubesVMError QubesVMInUseError QubesVMNotStartedError QubesVMNotRunningError "
    "QubesVMNotPausedError QubesVMNotSuspendedError QubesVMNotHaltedError QubesVMShutdownTimeoutError QubesNoTemplateError "
    "QubesVMAlreadyStartedError QubesPoolInUseError QubesValueError QubesPropertyValueError QubesNotImplementedError "
    "BackupCancelledError BackupAlreadyRunningError QubesMemoryError UnrecognizedDevice UnexpectedDeviceProperty StoragePoolException",
    "KeyError": "QubesVMNotFoundError QubesFeatureNotFoundError QubesTagNotFoundError QubesLabelNotFoundError "
    "DeviceNotAssigned DeviceAlreadyAttached DeviceAlreadyAssigned",
    "AttributeError": "QubesNoSuchPropertyError",
}
ERRORS = {one.__name__: one for one in (QubesException, ProtocolError, PermissionDenied)}
for base, names in FAMILY.items():
    bases = (QubesException, getattr(builtins, base)) if base else (QubesException,)
    ERRORS.update((name, type(name, bases, {})) for name in names.split())


def class_of(name):
    """The class of an exception; one that nobody knows is a QubesException."""
    if name in ERRORS:
        return ERRORS[name]
    known = getattr(builtins, name, None) if name.endswith("Error") else None
    return known if isinstance(known, type) and issubclass(known, Exception) else QubesException


def parse_reply(reply):
    """The content of a reply; raises what it says, and for what is none."""
    if reply == b"":
        raise QubesDaemonAccessError("Got empty response from qubesd. See journalctl in dom0 for details.")
    if reply[:2] == b"0\x00":
        return reply[2:]
    if reply[:2] != b"2\x00":
        raise AssertionError(f"invalid response type: {reply[:40]!r}")
    fields = reply[2:].decode().split("\0")
    if len(fields) < 4 or fields.pop() != "":
        raise AssertionError(f"an exception is class, traceback, format and arguments, each ended by NUL: {reply!r}")
    name, traceback, message_format, *args = fields
    if traceback != "":
        raise AssertionError(f"a traceback without --debug: {traceback}")
    raise class_of(name)(message_format, *args)


def read_event(stream):
    """`1 NUL SUBJECT NUL EVENT NUL (KEY NUL VALUE NUL)* NUL`, or None at the end."""

    def field():
        byte, found = stream.read(1), b""
        while byte not in (b"", b"\0"):
            byte, found = stream.read(1), found + byte
        if byte == b"":
            raise AssertionError(f"an event is cut: {found!r}")
        return found.decode()

    kind = stream.read(2)
    if kind == b"":
        return None
    if kind != b"1\0":
        return parse_reply(kind + stream.read())
    subject, event, values = field(), field(), {}
    for key in iter(field, ""):
        values[key] = field()
    return subject, event, values


class Value:
    """A property as Get, GetAll and the rest of a line give it: `default=BOOL type=TYPE VALUE`."""

    TYPES = {"str": str, "int": lambda text: int(text) if text else None, "label": str, "vm": lambda text: text or None}

    def __init__(self, text):
        default, kind, value = text.split(" ", 2)
        self.is_default = parse_flag(strip(default, "default="))
        self.kind = strip(kind, "type=")
        parsers = {**self.TYPES, "bool": lambda text: parse_flag(text) if text else None}
        self.value = parsers[self.kind](value)
        self.text = value


class Qubesd:
    """The calls of dom0; each goes over a connection of its own."""

    def __init__(self, path):
        self.path = path
        self.calls = 0

    def call(self, dest, method, arg=None, payload=b""):
        """The bytes of a reply. The plus is there without an argument too."""
        self.calls += 1
        payload = payload.encode() if isinstance(payload, str) else payload
        header = f"{method}+{arg or ''} dom0 name {dest}\0".encode("ascii")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(self.path)
            connection.sendall(header + payload)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as stream:
                return parse_reply(stream.read())

    def events(self, dest):
        """
        What happens from now on: subject, name, and values by their keys. The first one is that the connection is there, and has been taken out.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(60)
        connection.connect(self.path)
        connection.sendall(f"admin.Events+ dom0 name {dest}\0".encode("ascii"))
        connection.shutdown(socket.SHUT_WR)
        stream = connection.makefile("rb")
        if read_event(stream) != ("", "connection-established", {}):
            raise AssertionError("no connection")
        return iter(lambda: read_event(stream), None)

    def text(self, *args):
        return self.call(*args).decode()

    def done(self, *args):
        """For what answers nothing but that it is done."""
        reply = self.call(*args)
        if reply != b"":
            raise AssertionError(f"{args}: nothing was to be said: {reply!r}")

    def lines(self, *args):
        """The bytes are split, so that only LF, CR and CRLF end a line."""
        reply = self.call(*args)
        if reply and not reply.endswith(b"\n"):
            raise AssertionError(f"{args}: a line without its end: {reply!r}")
        return [line.decode() for line in reply.splitlines()]

    def pairs(self, *args):
        """Lines `KEY=VALUE`, in their order."""
        pairs = [line.split("=", 1) for line in self.lines(*args)]
        return {key: value for key, value in pairs}

    def qubes(self):
        """By name: class, state and uuid."""
        found = {}
        for line in self.lines("dom0", "admin.vm.List"):
            name, *words = line.split(" ")
            found[name] = dict(word.split("=", 1) for word in words)
        return found

    def property(self, dest, name, prefix="admin.vm.property"):
        return Value(self.text(dest, f"{prefix}.Get", name))

    def properties(self, dest, prefix="admin.vm.property"):
        """What GetAll gives: a line each, with backslashes and ends of lines escaped behind the name."""
        found = {}
        for line in self.lines(dest, f"{prefix}.GetAll"):
            name, rest = line.split(" ", 1)
            found[name] = Value(unescape(rest))
        return found

    def drivers(self):
        """By name: the parameters. The space behind the name is there without any too."""
        lines = [line.split(" ", 1) for line in self.lines("dom0", "admin.pool.ListDrivers")]
        return {name: params.split() for name, params in lines}

    def volume(self, dest, name):
        """What Info gives; whether it is outdated is said by some drivers only."""
        info = self.pairs(dest, "admin.vm.volume.Info", name)
        for key in ("size", "usage", "revisions_to_keep"):
            info[key] = int(info[key])
        for key in ("rw", "save_on_stop", "snap_on_start", "ephemeral", "is_outdated"):
            if key in info:
                info[key] = parse_flag(info[key])
        return info

    def available(self, dest, devclass):
        """By port and id: what the backend says of its devices."""
        found = {}
        for line in self.lines(dest, f"admin.vm.device.{devclass}.Available"):
            head, rest = line.split(" ", 1)
            port, device_id = head.split(":", 1)
            found[head] = check_device(parse_device(rest), dest, port, device_id, devclass)
        return found

    def assignments(self, dest, devclass, kind="Assigned"):
        """By backend, port and id: mode, options and what else is said."""
        found = {}
        for line in self.lines(dest, f"admin.vm.device.{devclass}.{kind}"):
            head, rest = line.split(" ", 1)
            backend, device = head.split("+", 1)
            port, device_id = device.split(":", 1)
            device = check_device(parse_device(rest), backend, port, device_id, devclass)
            if device["mode"] not in ("manual", "auto-attach", "ask-to-attach", "required"):
                raise AssertionError(f"unknown mode: {line}")
            if device.get("frontend_domain", dest) != dest:
                raise AssertionError(f"of somebody else: {line}")
            found[head] = device
        return found


def parse_device(text):
    """
    `KEY='VALUE' KEY='VALUE'…`: the first key runs to the first `='`, every value to the last `' ` before the next `='`, and the last character is the
    closing quote.
    """
    text = text.strip()
    if re.search(r"[^ -~]", text) or not text.endswith("'"):
        raise AssertionError(f"no device: {text}")
    key, *rest = text[:-1].split("='")
    found = {}
    for part in rest[:-1]:
        value, next_key = part.rsplit("' ", 1)
        found[key.strip()] = value.replace("\\'", "'")
        key = next_key
    found[key.strip()] = rest[-1].replace("\\'", "'")
    bad = [key for key in found if not re.fullmatch(r"[!#-&(-<>-_a-~]+", key)]
    if bad:
        raise AssertionError(f"keys {bad} in {text}")
    return found


KEYS = {"device_id", "port_id", "devclass", "backend_domain", "mode", "frontend_domain"} | {
    *("vendor", "product", "manufacturer", "name", "serial", "attachment", "interfaces", "parent_port_id", "parent_devclass"),
}


def check_device(device, backend, port, device_id, devclass):
    """What stands before the serialised device has to say the same."""
    wanted = {"backend_domain": backend, "port_id": port, "device_id": device_id, "devclass": devclass}
    if {key: device.get(key) for key in wanted} != wanted:
        raise AssertionError(f"{device}: want {wanted}")
    unknown = {key for key in device if not key.startswith("_")} - KEYS
    if unknown or not re.fullmatch(r"([pubm?*][0-9a-f*]{6})*", device.get("interfaces", "")):
        raise AssertionError(f"keys {unknown} in {device}")
    return device


def write_device(device):
    """The way back, in the order of the specification."""
    return " ".join("{}='{}'".format(key, value.replace("'", "\\'")) for key, value in device.items())


def qarg(device):
    """A device as the argument of a method."""
    device_id = device["device_id"].replace("*", "_") if device["device_id"] == "*" else device["device_id"].replace("?******", "_" * 7)
    port = device["port_id"].replace("*", "_") if device["port_id"] == "*" else device["port_id"]
    return f"{device['backend_domain']}+{port}+{device_id.replace(':', '+')}"


def unescape(text):
    r"""`\\` is a backslash, `\n` an end of line; there is nothing else."""

    def replace(match):
        return {"\\\\": "\\", "\\n": "\n"}[match.group()]

    return re.sub(r"\\.?", replace, text)


def parse_flag(text):
    return {"True": True, "False": False}[text]


def strip(text, prefix):
    if not text.startswith(prefix):
        raise AssertionError(f"{text}: want {prefix}")
    return text[len(prefix) :]
