"""Tables of pages, as a person reads them."""

import html
import re


def table(text: str) -> list[tuple[str, ...]]:
    """Return the rows of the first table, as their words."""
    body = re.search(r"(?s)<tbody>(.*?)</tbody>", text)[1]
    rows = re.findall(r"(?s)<tr[^>]*>(.*?)</tr>", body)
    cells = [re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return [tuple(" ".join(html.unescape(re.sub("<[^>]+>", "", cell)).split()) for cell in row) for row in cells]
