"""What django-spirit, a forum, keeps apart from its posts' own fields.

Its forms give a new post its author and topic only after they validated it. What cannot be known
before is read from the request at hand, so that a refusal still stands in the form.
"""

from __future__ import annotations

from typing import Any

from wildgate.contrib.django.current import request_at_hand

PUBLISHED = {"field": "is_removed", "value": False}
MODELS = {
    "spirit_topic.Topic": {
        "title": "title",
        "published": {**PUBLISHED, "touch": "reindex_at"},
        "kind": "social_post",
        "only": "wildgate.contrib.django.spirit.is_public_topic",
        "held_page": "spirit:index",
    },
    "spirit_comment.Comment": {
        "text": ["comment"],
        "attributes": "wildgate.contrib.django.spirit.topic_begun",
        "published": PUBLISHED,
        "kind": "social_post",
        "only": "wildgate.contrib.django.spirit.is_public_post",
    },
}
"""WILDGATE['MODELS'] of a forum: titles, and posts. Private topics are not scored."""
NEW_TOPIC = "spirit:topic:publish"
REPLY = "spirit:comment:publish"


def is_public_topic(topic: Any) -> bool:
    """Tell whether a topic is in a category that everybody can read; one without a category yet is not known to be."""
    return topic.category_id is not None and not topic.category.is_private


def is_public_post(comment: Any) -> bool:
    """Tell whether a post is one that everybody can read, and no note such as "topic closed"."""
    if comment.action != comment.COMMENT:
        return False
    if comment.topic_id is not None:
        return is_public_topic(comment.topic)
    view, options = _view()
    if view != REPLY:
        return view == NEW_TOPIC
    topics = type(comment)._meta.get_field("topic").related_model.objects
    topic = topics.filter(pk=options["topic_id"]).select_related("category").first()
    return topic is not None and is_public_topic(topic)


def topic_begun(comment: Any) -> dict[str, str]:
    """Return the title of the topic that a post begins, for the two are read as one; nothing for replies."""
    if comment.topic_id is None:
        request = request_at_hand.get()
        return {"Topic": request.POST.get("title", "").strip()} if request and _view()[0] == NEW_TOPIC else {}
    before = comment.topic.comment_set.filter(action=comment.COMMENT)
    if comment.pk is not None:
        before = before.filter(pk__lt=comment.pk)
    return {} if before.exists() else {"Topic": comment.topic.title}


def _view() -> tuple[str, dict[str, Any]]:
    """Return the name of the view that answers the request at hand, and its arguments."""
    request = request_at_hand.get()
    match = request.resolver_match if request else None
    return (match.view_name, match.kwargs) if match else ("", {})
