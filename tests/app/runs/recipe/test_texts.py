"""A prompt as one text."""

from app.runs.recipe.texts import as_text


def test_a_single_message_is_its_content():
    assert as_text([{"role": "system", "content": "You are a cat.\n"}]) == "You are a cat.\n"


def test_several_messages_are_paragraphs_with_their_roles():
    messages = [{"role": "system", "content": "You are a cat."}, {"role": "user", "content": "Hello"}]
    assert as_text(messages) == "system: You are a cat.\n\nuser: Hello"


def test_parts_are_lines_and_other_parts_are_named():
    image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    parts = [{"type": "text", "text": "Look"}, image, {"text": "at it"}, "now", {"type": "text", "text": None}, 5]
    assert as_text([{"role": "user", "content": parts}]) == "Look\n[image_url]\nat it\nnow\n[text]\n[part]"


def test_no_content_is_no_text():
    assert as_text([]) == ""
    assert as_text([{"role": "assistant", "content": None}]) == ""
    assert as_text([{"role": "assistant"}, {"role": "user", "content": "Hi"}]) == "assistant: \n\nuser: Hi"
