"""Parameters that say which files and fields are meant."""

from app.schemas.fields import Matching

# Folders and a file name, none of them `.` or `..`. A path may end in a slash.
_PATH = r"(?=.{1,1000}$)((?!\.{1,2}(/|$))[^/\x00-\x1f\x7f]+(/|$))+"
_KEY = r"[^./~\x00-\x1f\x7f]+"
# Names and positions with dots between them, or a JSON Pointer.
_FIELD = rf"(?=.{{1,1000}}$)({_KEY}(\.{_KEY})*|(/([^/~\x00-\x1f\x7f]|~[01])*)+)"


def path_filter(meaning: str) -> Matching:
    """Return the parameter that says which files are meant."""
    return Matching(
        _PATH,
        "This must be a path such as 'targets/', 'targets/coding_target.yml' or 'targets/night*'",
        load_default=None,
        metadata={
            "description": f"{meaning}: `targets/a.yml` is one file, `targets/` a folder, `targets/night*` a pattern "
            "(`*`, `?`, `[a-c]`, `**` for folders), and any other text the start of paths."
        },
    )


def field_filter() -> Matching:
    """Return the parameter that says which field is meant."""
    return Matching(
        _FIELD,
        "This must be a field such as 'temperature' or 'generators.0.numq', or a JSON Pointer such as '/temperature'",
        load_default=None,
        metadata={
            "description": "Only commits that changed this field or one within it, and only what they changed there: "
            "`temperature`, `generators.0.numq`, or a JSON Pointer."
        },
    )
