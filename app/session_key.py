"""The key that signs the cookies of people who signed in: a random file in the data directory, and the master key.

A copy of the data directory has the file, and the hashes of tokens, which are what a cookie vouches for. So the file
alone signs nothing: an operator who keeps the master key elsewhere lets nobody sign in with a copy.
"""

import hashlib
import hmac

from app import key_files
from app.settings import Settings, SettingsError

_FILE = "session.key"


def ensure(settings: Settings, master_key: str) -> str:
    """Return the key. Its file is made at the first start; another file, or master key, signs everybody out."""
    path = settings.data_dir / _FILE
    try:
        key_files.create(path)
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"The key of sessions in {path} cannot be used: {error}.") from error
    if not key:
        raise SettingsError(f"{path} is empty: remove it to get a new key. Everybody signs in again then.")
    return hmac.new(key.encode(), master_key.encode(), hashlib.sha256).hexdigest()
