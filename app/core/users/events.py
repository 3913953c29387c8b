"""Events of the users domain. `email` turns them into messages."""

from __future__ import annotations

from app.core.events import Topic

USER_INVITED = Topic("user.invited", "An invitation was issued; the event's entity is the account token.")
PASSWORD_RESET_REQUESTED = Topic(
    "user.password_reset_requested", "A password reset was asked for; the event's entity is the account token."
)
PASSWORD_CHANGED = Topic("user.password_changed", "A user's password was changed or reset.")
USER_LOCKED = Topic("user.locked", "An administrator locked a user's account.")

TOPICS = (USER_INVITED, PASSWORD_RESET_REQUESTED, PASSWORD_CHANGED, USER_LOCKED)
