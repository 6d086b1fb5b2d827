"""Profiles as text: what is written is read back equal, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.words import QualityTier
from core.slicing import ini
from core.slicing.key import slice_key
from core.slicing.known import shipped_settings
from core.slicing.profile import Profile, ProfileRefused, check_settings, from_text, make_profile, to_text

KNOWN = shipped_settings()
SETTINGS = {"layer_height": "0.2", "perimeter_generator": "classic", "start_gcode": r"G28\nG1 Z5 ; up"}


def made(settings: dict[str, str] | None = None, **changes: object) -> Profile:
    values = {
        "name": "pla-standard-x",
        "semver": "1.0.0",
        "slicer": "PrusaSlicer 2.5.0",
        "settings": SETTINGS if settings is None else settings,
        "material": "PLA",
        "tier": QualityTier.STANDARD,
        "printer_class": "x",
        "known": KNOWN,
        "notes": ("first", r"a \n b"),
        "source": "minimal profile",
    }
    return make_profile(**(values | changes))  # type: ignore[arg-type]  # the values above, some replaced


clean_values = st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=30)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN - {"post_process"})), clean_values, max_size=30))
def test_a_profile_survives_its_text_form(settings: dict[str, str]) -> None:
    profile = made(settings)
    assert from_text(to_text(profile), KNOWN) == profile


def test_the_order_of_settings_does_not_change_the_checksum() -> None:
    assert made(dict(reversed(SETTINGS.items()))).checksum == made().checksum


def test_a_changed_text_does_not_pass_for_the_released_profile() -> None:
    text = to_text(made()).replace("layer_height = 0.2", "layer_height = 0.3")
    with pytest.raises(ProfileRefused, match="checksum"):
        from_text(text, KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[profile]\nname = a\n",
        "layer_height = 0.2\n",
        to_text(made()) + "\n[more]\n",
        to_text(made()).replace("[settings]", "[settings]\nlayer_height = 0.2"),
        to_text(made()).replace("tier = standard", "tier = best"),
        to_text(made()).replace("semver = 1.0.0", "semver = latest"),
    ],
)
def test_a_text_that_is_not_a_profile_is_refused(text: str) -> None:
    with pytest.raises(ProfileRefused):
        from_text(text, KNOWN)


def test_a_script_after_slicing_is_refused_as_such() -> None:
    with pytest.raises(ProfileRefused) as refused:
        made({"post_process": "/bin/sh"})
    assert refused.value.script
    check_settings({"post_process": '""'}, KNOWN)


@pytest.mark.parametrize("key", ["layer_hight", "print_host", "threads", "Layer_Height", "a b", "inherits"])
def test_a_setting_that_the_slicer_does_not_know_is_refused(key: str) -> None:
    with pytest.raises(ProfileRefused, match="setting"):
        made({key: "1"})


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31m", " a", "a\r", "\x7f"])
def test_a_value_that_is_not_one_clean_line_is_refused(value: str) -> None:
    with pytest.raises(ProfileRefused, match="clean line"):
        made({"notes": value})


def test_what_never_slices_twice_alike_says_so() -> None:
    assert made().reproducible
    assert not made(SETTINGS | {"fuzzy_skin": "all"}).reproducible
    assert not made(SETTINGS | {"fill_pattern": "lightning"}).reproducible
    assert not made({"layer_height": "0.2"}).reproducible


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_escaping_is_undone_exactly(text: str) -> None:
    line = ini.escape(text)
    assert "\n" not in line
    assert ini.unescape(line) == text


@pytest.mark.parametrize("text", ["layer_height", "= 3", "a = 1\na = 2", "[x]\n[x]\n", "[]\n"])
def test_an_unclear_settings_text_is_refused(text: str) -> None:
    with pytest.raises(ini.IniRefused):
        ini.parse(text)


def test_the_key_changes_with_everything_that_shapes_the_product() -> None:
    base = {"plan_inputs": {"model": "x"}, "engine_digest": "e", "profile_sha256": "p", "plate_sha256": "q"}
    keys = {slice_key(**base)}
    keys |= {slice_key(**(base | {name: "other"})) for name in base if name != "plan_inputs"}
    keys.add(slice_key(**(base | {"plan_inputs": {"model": "y"}})))
    assert len(keys) == 5
    assert slice_key(**base) in keys
