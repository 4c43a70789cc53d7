"""The data directory, which the processes of one machine use together."""

from app.settings import Settings, SettingsError
from storage.servers import CannotServe, Membership


def join(settings: Settings) -> Membership:
    """Join those who use the data directory; SettingsError where this machine must not use it."""
    try:
        return Membership(settings.data_dir, shares_locks=settings.shared_locks)
    except (CannotServe, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"The data directory {settings.data_dir} cannot be used: {reason}.") from error
