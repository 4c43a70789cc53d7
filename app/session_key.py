"""The key that signs the cookies of people who signed in: random, in a file of the data directory."""

from app import key_files
from app.settings import Settings, SettingsError

_FILE = "session.key"


def ensure(settings: Settings) -> str:
    """Return the key, which is made at the first start. Whoever removes the file signs everybody out."""
    path = settings.data_dir / _FILE
    try:
        key_files.create(path)
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"The key of sessions in {path} cannot be used: {error}.") from error
    if not key:
        raise SettingsError(f"{path} is empty: remove it to get a new key. Everybody signs in again then.")
    return key
