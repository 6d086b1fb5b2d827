"""What a model file may be at most, and how a reader says no."""

import msgspec


class ReadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the readers (design page "making", hostile files); bytes, counts and millimetres."""

    file_bytes: int = 600 << 20
    faces: int = 10_000_000
    coordinate: float = 1e6
    zip_members: int = 5000
    zip_bytes: int = 1_500_000_000
    zip_ratio: int = 200
    zip_ratio_from: int = 64 << 20
    xml_depth: int = 64
    objects: int = 50_000
    """Objects, and also build items and components, of a 3MF."""
    expansions: int = 200_000
    """Meshes placed by components, over all parts; more is a small file that unfolds into a huge one."""
    instanced_faces: int = 20_000_000
    parts: int = 1000
    """Distinct parts of one file."""


class Refusal(Exception):
    """A file that is not read any further; `code` is a key of `wording.WORDS`, `detail` completes its text."""

    def __init__(self, code: str, detail: str = "", where: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.where = where
