"""What keeps a site from opening, in an operator's words with what to do."""

import errno
from pathlib import Path

import pytest

from core.site.paths import SitePaths
from core.site.settings import load_settings
from kiln_tui.__main__ import parser
from kiln_tui.cli.failing import CannotStart, in_words


def told(work: object) -> str:
    with pytest.raises(CannotStart) as caught, in_words():
        work()  # type: ignore[operator]  # any callable of the cases below
    return str(caught.value)


def test_a_site_that_is_a_file(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.write_text("x")
    said = told(SitePaths(place).create)
    assert said.startswith("the site must be a directory, but there is a file in its place")
    assert "--site" in said
    assert "Errno" not in said


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_site_that_cannot_be_written(code: int) -> None:
    def refuse() -> None:
        raise OSError(code, "no", "shop")

    assert told(refuse).startswith("you may not write into the site's directory (shop).")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inbox: /drop", "site.yaml: inbox must be a section with path and folders."),
        ("- a", "site.yaml: it must be a list of settings such as “name: My shop”."),
        ("name: 5", "site.yaml: name must be a text (in quotes where it is a number)."),
        ("inbox: {folders: {a: 5}}", "site.yaml: inbox.folders[...] must be a section of its own."),
    ],
)
def test_a_settings_file_of_the_wrong_shape(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    assert told(lambda: load_settings(SitePaths(tmp_path))) == f"{said} Mend the file and start again"


def test_a_theme_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--theme", "neon"])
    assert "'dark', 'light'" in capsys.readouterr().err
    assert parser().parse_args(["--theme", "kiln-light"]).theme == "light"
