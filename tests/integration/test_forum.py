"""A forum of django-spirit in a browser: a member posts and edits on spirit's own pages, a moderator decides, the report shows it.

Every title is a new one, so the tests share the forum and the service.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urljoin

import pytest

HELD = "will be checked before it is shown"
REFUSED = "protected wildlife"
OFFER = "Raw elephant ivory tusk, 4 kg, message me on WhatsApp"
DOUBTFUL = "Old carved box with ivory inlay"
PUBLISH = "input[type=submit].comment__reply__actions__publish"


@pytest.fixture(scope="module")
def forum(make_platform, service, tmp_path_factory):
    """The forum, with Wildgate by configuration alone."""
    with make_platform("forum", tmp_path_factory.mktemp("forum"), WILDGATE_TARGET=service.target) as platform:
        yield platform


class Member:
    """Somebody at spirit's pages."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address = page, address

    def open(self, path: str) -> int:
        """Go to a page; returns its HTTP status."""
        answer = self.page.goto(urljoin(self.address, path))
        assert answer is not None
        return answer.status

    def log_in(self, name: str) -> Member:
        """By spirit's own page."""
        self.open("/user/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", "of-the-tests")
        self.press("input[name=post]")
        return self

    def begin(self, title: str, text: str) -> None:
        """Post a topic."""
        self.open("/topic/publish/")
        self.page.fill("#id_title", title)
        self.page.select_option("#id_category", label="Attic")
        self.page.fill("#id_comment", text)
        self.press(PUBLISH)

    def begin_privately(self, with_whom: str, title: str, text: str) -> None:
        """Post a private topic."""
        self.open("/topic/private/publish/")
        self.page.fill("#id_title", title)
        self.page.fill("#id_users", with_whom)
        self.page.fill("#id_comment", text)
        self.press(PUBLISH)

    def reply(self, title: str, text: str) -> None:
        """Post below a topic."""
        self.find(title)
        self.page.fill("#reply textarea", text)
        self.press(PUBLISH)

    def edit(self, title: str, old: str, new: str) -> None:
        """Change a post of one's own."""
        self.find(title)
        self.press(f".comments_list__comment:has-text('{old}') .comment__actions a:has-text('edit')")
        self.page.fill("#id_comment", new)
        self.press(PUBLISH)

    def find(self, title: str) -> None:
        """Open a topic from the list of all."""
        self.open("/")
        self.press(f"a.topic__link:has-text('{title}')")

    def press(self, what: str) -> None:
        """Follow a link or send a form."""
        with self.page.expect_navigation():
            self.page.click(what)

    @property
    def told(self) -> str:
        """What the page says at its top, errors and messages."""
        return "\n".join(self.page.locator(".messages, .errorlist").all_inner_texts())

    @property
    def titles(self) -> list[str]:
        """The topics that spirit lists."""
        self.open("/")
        return self.page.locator("a.topic__link").all_inner_texts()

    def posts(self, title: str) -> list[str]:
        """What stands in a topic."""
        self.find(title)
        return [each.strip() for each in self.page.locator(".comment__text").all_inner_texts()]

    def found(self, words: str) -> list[str]:
        """The topics that spirit's search finds."""
        self.open(f"/search/?q={words}")
        return self.page.locator("a.topic__link").all_inner_texts()

    def notes(self) -> str:
        """What spirit notifies of."""
        self.open("/topic/notification/")
        return self.page.locator(".layout__list").inner_text()


@pytest.fixture
def log_in(visit, forum):
    """Visit the forum as somebody: `log_in("reader")`, `log_in("member", "de-DE")`."""
    return lambda name, language="en-GB": Member(visit(language), forum.address).log_in(name)


@pytest.fixture
def member(log_in):
    """Who writes."""
    return log_in("member")


@pytest.fixture
def reader(log_in):
    """Who must not read what is held."""
    return log_in("reader")


@pytest.fixture
def moderate(open_screening, forum):
    """Open the page of a text in a queue, as a moderator."""
    return partial(open_screening, forum.address)


@pytest.fixture
def screened(open_queue, forum):
    """The texts that were scored."""
    return lambda: open_queue(forum.address, "all").locator("#result_list th").all_inner_texts()


def test_an_innocent_topic_is_public(member, reader):
    """The member notices nothing of Wildgate."""
    member.begin("Wax on my sideboard", "How do I get it off?")
    assert member.told == ""
    assert reader.posts("Wax on my sideboard") == ["How do I get it off?"]


def test_an_offer_is_refused_in_the_language_of_the_page(log_in, reader, picture):
    """The notice stands over spirit's own form, which still holds what was typed."""
    at = log_in("member", "de-DE")
    at.begin("For sale, see inside", OFFER)
    assert "geschützte" in at.told
    assert (at.page.input_value("#id_title"), at.page.input_value("#id_comment")) == ("For sale, see inside", OFFER)
    assert "For sale, see inside" not in reader.titles
    picture(at.page, "forum_refused")


def test_a_title_and_the_first_post_are_read_as_one(member, reader):
    """Neither alone is an offer that is refused."""
    member.begin("Genuine elephant ivory tusk, raw", "message me on WhatsApp")
    assert REFUSED in member.told
    assert "Genuine elephant ivory tusk, raw" not in reader.titles


def test_a_doubtful_topic_is_held_and_approved(member, reader, moderate, forum, picture):
    """Nobody else reads it, nor finds it by spirit's search, until a moderator says so."""
    title = "Carved box with ivory inlay"
    member.begin(title, "My grandmother brought it home from Kenya.")
    assert member.told.count(HELD) == 1
    picture(member.page, "forum_held")
    assert member.page.url == f"{forum.address}/"
    forum.manage("rebuild_index", "--noinput")
    own_page = moderate(title).get_attribute("#content a[href^='/topic/']", "href")
    assert (title in reader.titles, reader.found("grandmother"), reader.open(own_page)) == (False, [], 404)
    moderate(title).click("[name=_approve]")
    moderate("My grandmother brought it").click("[name=_approve]")  # the post that the title begins, read with it
    assert reader.posts(title) == ["My grandmother brought it home from Kenya."]
    forum.manage("update_index", "--age", "1")
    assert reader.found("grandmother") == [title]


def test_a_doubtful_reply_is_held_and_rejected_and_upheld_after_a_complaint(member, reader, moderate):
    """Its place is seen, its text is not, by nobody in the topic and in no notification, until the complaint is upheld."""
    member.begin("What have you found?", "Show us.")
    reader.reply("What have you found?", "A lamp.")
    member.reply("What have you found?", f"{DOUBTFUL}.")
    assert HELD in member.told
    assert reader.posts("What have you found?") == ["Show us.", "A lamp."]
    assert DOUBTFUL not in reader.notes()
    moderate(DOUBTFUL).click("[name=_reject]")
    assert reader.posts("What have you found?") == ["Show us.", "A lamp."]
    moderate(DOUBTFUL, "all").click("[name=_appeal]")
    moderate(DOUBTFUL, "appeal").click("[name=_uphold]")
    assert reader.posts("What have you found?") == ["Show us.", "A lamp.", f"{DOUBTFUL}."]


def test_an_edit_into_an_offer_is_refused_and_the_post_stays_as_it_was(member, reader):
    """The forum goes on showing what was there."""
    member.begin("My chest of drawers", "Oak, from 1920.")
    member.edit("My chest of drawers", "Oak", OFFER)
    assert REFUSED in member.told
    assert member.page.input_value("#id_comment") == OFFER
    assert reader.posts("My chest of drawers") == ["Oak, from 1920."]


def test_an_edit_into_a_doubtful_post_is_held_with_its_history(member, reader):
    """Spirit's page of former texts is closed as well."""
    member.begin("Lamps", "Tell me of yours.")
    member.reply("Lamps", "Brass, with a green shade.")
    member.edit("Lamps", "Brass", f"Brass, and an {DOUBTFUL.lower()}.")
    assert HELD in member.told
    assert reader.posts("Lamps") == ["Tell me of yours."]


def test_what_was_published_is_removed_later(member, reader, moderate):
    """A moderator rejects it on the page of its screening."""
    member.begin("A bargain", "Ask me for the address.")
    moderate("Ask me for the address", "all").click("[name=_reject]")
    assert reader.posts("A bargain") == []


def test_what_is_undeleted_past_a_hold_is_hidden_again(log_in, member, reader, forum):
    """Spirit's own button goes past every hook; the command finds it."""
    member.begin("Finds of May", "Show yours.")
    member.reply("Finds of May", f"{DOUBTFUL}, found in May.")
    at = log_in("moderator")
    at.find("Finds of May")
    at.press("a:has-text('undelete')")
    assert len(reader.posts("Finds of May")) == 2
    assert "1 hidden again" in forum.manage("wildgate_screen")
    assert reader.posts("Finds of May") == ["Show yours."]


def test_private_topics_are_not_scored(member, screened):
    """Nothing of them leaves the forum: neither what begins one, nor a reply in it, nor an edit."""
    member.begin_privately("reader", "Between us: a tusk", f"Between us: {OFFER}")
    assert member.told == ""
    member.page.fill("#reply textarea", f"Between us again: {OFFER}")
    member.press(PUBLISH)
    assert member.told == ""
    member.press(".comments_list__comment:has-text('us again') .comment__actions a:has-text('edit')")
    member.page.fill("#id_comment", f"Between us at last: {OFFER}")
    member.press(PUBLISH)
    assert member.told == ""
    assert "Between us" not in " ".join(screened())


def test_a_note_that_a_topic_was_closed_is_not_scored(log_in, member, screened):
    """Spirit keeps it as a post whose text is "action"."""
    member.begin("Closed soon", "Any questions?")
    at = log_in("moderator")
    at.find("Closed soon")
    at.page.click("a.js-tab:has-text('Moderate')")
    at.press("a:has-text('Close topic')")
    assert "closed this" in at.page.content()
    assert "action" not in screened()


def test_the_report_of_the_service_shows_decisions_and_what_became_of_them(member, moderate, report, until):
    """Refused by software, held by software, taken down by a moderator, put back after a complaint."""
    member.begin("WTS: raw tusk", "4 kg, 900 euro a kilo")
    member.begin("Attic finds", f"{DOUBTFUL}, from Kenya")
    moderate(DOUBTFUL).click("[name=_reject]")
    until(lambda: {"automated", "moderator"} <= report()["means"].keys(), "measures by software and by a moderator in the report")
    total = report()["total"][""]
    assert min(total["held"], total["refused"], total["taken_down"]) > 0


def test_the_service_is_killed_while_members_post(member, reader, service, forum, report, until):
    """Nothing breaks, the post is held by the forum's policy, and is public once the service is back and asked."""
    member.begin("Garden", "What grows in the shade?")
    service.kill()
    try:
        member.reply("Garden", "Hostas do.")
        assert HELD in member.told
        assert reader.posts("Garden") == ["What grows in the shade?"]
    finally:
        service.start()
    until(lambda: "1 published" in forum.manage("wildgate_sync"), "the service to answer again")
    assert reader.posts("Garden") == ["What grows in the shade?", "Hostas do."]
    assert report()["degraded"] == {"unavailable": {"texts": 1}}
