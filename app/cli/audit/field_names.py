"""The names of fields as a person types them: `generators.0.numq` for the JSON Pointer `/generators/0/numq`."""


def pointer_of(name: str) -> str:
    """Return the JSON Pointer to the field of a name, which may be the pointer itself."""
    if name.startswith("/"):
        return name
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in name.split("."))


def name_of(pointer: str) -> str:
    """Return the name of the field at a JSON Pointer; the pointer itself where a key has a dot."""
    name = pointer.removeprefix("/").replace("/", ".").replace("~1", "/").replace("~0", "~")
    return name if pointer_of(name) == pointer else pointer
