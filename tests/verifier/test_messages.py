"""Every message of the verifier is shown by a kept case or a test, or stands in ``not_covered.txt``."""

from pathlib import Path

from osmia.testing.messages import Message, messages, unseen

HERE = Path(__file__).parent
LIST = HERE / "not_covered.txt"


def test_a_message_without_a_case_is_listed():
    texts = [p.read_text("utf-8") for p in sorted(HERE.rglob("*")) if p.suffix in (".txt", ".py") and p != LIST]
    said = {str(message) for message in unseen(texts)}
    assert said <= set(LIST.read_text("utf-8").splitlines()), "python tools/cover_messages.py --list"


def test_messages_are_found_in_the_source():
    assert Message("marks", "R{} !read_ok\n") in messages()
    assert len(messages()) > 300


def test_a_filled_message_is_seen():
    assert Message("marks", "R{} !read_ok\n") not in unseen(["0: (95) exit\nR0 !read_ok\n"])
