"""Addresses of printers as people type them (pure)."""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import urlsplit

from core.contract import NotPossible

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_PATH = re.compile(r"[\x21-\x7e]*")


def base_url(address: str, default_port: int) -> str:
    """``http(s)://host[:port][/path]`` without a trailing slash, from ``host``, ``host:port`` or an address.

    `default_port` is used for plain http without a port. NotPossible, with a sentence, where it is no address.
    """
    typed = address.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"http://{typed}")
        port = parts.port
    except ValueError as error:
        raise NotPossible("This is not an address: the port must be a number up to 65535.") from error
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise NotPossible("The address must begin with http:// or https://, or be a bare host name.")
    if not (_HOST.fullmatch(host) or _is_ipv6(host)):
        raise NotPossible("This is not an address: a host name or IP address is expected, e.g. 192.168.1.20.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise NotPossible("The address must be plain: no user name, question mark or number sign.")
    if port is None and parts.scheme == "http" and default_port != 80:
        port = default_port
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise NotPossible("The address must not contain blanks or special letters.")
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"


def _is_ipv6(host: str) -> bool:
    try:
        return IPv6Address(host).scope_id is None
    except AddressValueError:
        return False
