"""The key of an endpoint, kept out of what endpoints say."""

import json

SHORT = 8  # characters; a shorter key keeps nobody out, and may be a word of any answer, such as `none`
_INSTEAD = "[key]"


class Redactor:
    """Takes a key out of texts, also where an endpoint has sent it back."""

    def __init__(self, key: str | None) -> None:
        escaped = json.dumps(key)[1:-1] if key and len(key) >= SHORT else ""
        self._forms = {form for form in (key, escaped, escaped.replace("/", "\\/")) if form} if escaped else set()
        self._bytes = [form.encode() for form in self._forms]

    def text(self, text: str) -> str:
        """Return a text without the key."""
        for form in self._forms:
            text = text.replace(form, _INSTEAD)
        return text

    def data(self, data: bytes) -> bytes:
        """Return data without the key, also where JSON has its letters as escapes."""
        if b"\\u" in data and self._forms:
            data = self._unescaped(data)
        for form in self._bytes:
            if form in data:
                data = data.replace(form, _INSTEAD.encode())
        return data

    def _unescaped(self, data: bytes) -> bytes:
        """Return JSON anew where a text in it has the key; all other data as it is."""
        try:
            plain = json.dumps(json.loads(data), ensure_ascii=False).encode(errors="replace")
        except (ValueError, RecursionError):
            return data
        return plain if any(form in plain for form in self._bytes) else data
