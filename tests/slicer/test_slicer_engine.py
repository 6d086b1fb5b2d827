"""Finding the engine, knowing which one it is, and fetching one without root."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.plates.plate_file import Instance
from core.slicing import fetch as fetching
from core.slicing.engine import Engine, EngineMissing, Engines, how_to_get
from core.slicing.fetch import FetchRefused, fetch
from core.slicing.prusa import Sliced
from tests.slicer.conftest import Bench


def test_the_installed_engine_is_named_and_identified(engine: Engine) -> None:
    assert engine.name == "PrusaSlicer"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", engine.version)
    assert re.fullmatch(r"[0-9a-f]{64}", engine.digest)
    assert Engines().find().digest == engine.digest


def test_another_binary_or_library_is_another_digest(engine: Engine, tmp_path: Path) -> None:
    copy = tmp_path / "prusa-slicer"
    shutil.copyfile(engine.path, copy)
    copy.chmod(0o755)
    engines = Engines()
    assert engines.find(configured=copy).version == engine.version
    same = engines.find(configured=copy)
    with copy.open("ab") as file:
        file.write(b"\0")
    changed = engines.find(configured=copy)
    assert changed.digest != same.digest


def test_a_configured_engine_that_does_not_work_is_never_replaced_silently(tmp_path: Path) -> None:
    engines = Engines()
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(EngineMissing, match="slicer fetch"):
            engines.find(configured=path)
    fake = tmp_path / "fake"
    fake.write_text("#!/bin/sh\necho hello\n")
    fake.chmod(0o755)
    with pytest.raises(EngineMissing, match="does not say"):
        engines.find(configured=fake)
    fake.write_text(
        "#!/bin/sh\necho 'x: error while loading shared libraries: libtbb.so.12: cannot open shared object' >&2\n"
    )
    with pytest.raises(EngineMissing, match=r"misses libtbb\.so\.12"):
        engines.find(configured=fake)


def test_without_any_engine_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="apt-get install") as missing:
        Engines().find(site=tmp_path)
    assert "kiln-tui slicer fetch" in str(missing.value)
    assert "Ready G-code" in how_to_get()


def test_without_apt_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchRefused, match="apt-get is not on this machine"):
        fetch(tmp_path, lambda _line: None)


def fake_apt(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tools = folder / "tools"
    tools.mkdir()
    program = tools / "apt-get"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


def test_without_package_lists_and_network_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_apt(tmp_path, monkeypatch, "echo 'E: Unable to locate package prusa-slicer' >&2; exit 100")
    site = tmp_path / "site"
    lines: list[str] = []
    with pytest.raises(FetchRefused, match="no usable package lists"):
        fetch(site, lines.append)
    assert any("package lists" in line for line in lines)
    assert list((site / "slicer").iterdir()) == []


def test_a_distribution_without_the_slicer_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(
        tmp_path,
        monkeypatch,
        'for a in "$@"; do [ "$a" = update ] && exit 0; done; '
        "echo 'E: Unable to locate package prusa-slicer' >&2; exit 100",
    )
    with pytest.raises(FetchRefused, match="have no prusa-slicer"):
        fetch(tmp_path / "site", lambda _line: None)


def test_a_small_disk_is_seen_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(
        tmp_path,
        monkeypatch,
        "echo \"'http://example.invalid/p.deb' prusa-slicer_2.5.0_amd64.deb 999999999999999 SHA256:00\"",
    )
    with pytest.raises(FetchRefused, match="MB of disk"):
        fetch(tmp_path / "site", lambda _line: None)


def base_system(status: Path) -> None:
    """The list of installed packages of a machine with only the base system, made from this machine's."""
    stanzas: dict[str, str] = {}
    provided: dict[str, str] = {}
    for stanza in Path("/var/lib/dpkg/status").read_text().split("\n\n"):
        named = re.match(r"Package: (\S+)", stanza)
        if named is None or "install ok installed" not in stanza:
            continue
        stanzas[named[1]] = stanza
        for line in re.findall(r"^Provides: (.*)$", stanza, re.MULTILINE):
            for name in re.split(r",\s*", line):
                provided.setdefault(name.split(" ")[0], named[1])
    base = re.compile(r"^(Essential: yes|Priority: (required|important))$", re.MULTILINE)
    todo = [name for name, stanza in stanzas.items() if base.search(stanza)]
    kept: set[str] = set()
    while todo:
        wanted = todo.pop()
        name = wanted if wanted in stanzas else provided.get(wanted)
        if name is None or name in kept:
            continue
        kept.add(name)
        for line in re.findall(r"^(?:Pre-)?Depends: (.*)$", stanzas[name], re.MULTILINE):
            for group in re.split(r",\s*", line):
                names = [re.split(r"[ :(]", option.strip())[0] for option in group.split("|")]
                todo.append(next((n for n in names if n in stanzas or n in provided), names[0]))
    status.write_text("\n\n".join(stanzas[name] for name in sorted(kept)) + "\n\n")


@pytest.mark.slow
def test_a_fetched_slicer_slices_with_its_own_libraries(
    bench: Bench, block: Callable[..., Path], tmp_path: Path
) -> None:
    """Downloads the packages that a bare system lacks (170 MB) with the real apt; needs the network."""
    site = tmp_path / "site"
    status = tmp_path / "status"
    base_system(status)
    lines: list[str] = []
    fetched = fetch(site, lines.append, dpkg_status=status)
    assert site in fetched.path.parents
    assert str(site) in fetched.environment["LD_LIBRARY_PATH"]
    assert lines[-1].startswith("Ready")
    assert sorted(p.name for p in (site / "slicer").iterdir()) == ["prusa-slicer", "root"]
    profile = bench.expanded()
    plate = bench.plate(Instance(name="cube", mesh=block(20, 20, 20), x=110, y=110))
    made = bench.slice(plate, profile=profile, engine=fetched)
    assert isinstance(made, Sliced), made
    assert made.layers == 100
    # a second fetch that ends badly leaves the working one in place
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "PACKAGE", "no-such-package-anywhere")
        patch.setattr(fetching, "_WANTED", ("no-such-package-anywhere",))
        with pytest.raises(FetchRefused):
            fetch(site, lines.append, dpkg_status=status)
    assert Engines().fetched(site) == replace(fetched)
