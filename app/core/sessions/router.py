"""Lists of living sessions, and their end: one's own, and those of the agency for its administrators."""

from __future__ import annotations

import uuid

from fastapi import APIRouter

from app.core.auth.permissions import SELF_READ, SELF_WRITE
from app.core.dependencies import requires
from app.core.filters import OneOf
from app.core.pagination import Page, PagingQuery
from app.core.sessions.schemas import SessionRead
from app.core.sessions.service import SessionReads, Sessions
from app.core.users.permissions import USER_READ, USER_WRITE

own_router = APIRouter(prefix="/auth/sessions", tags=["auth"])
agency_router = APIRouter(prefix="/sessions", tags=["users"])
routers = (own_router, agency_router)


@own_router.get("", dependencies=[requires(SELF_READ)])
async def list_my_sessions(sessions: SessionReads, paging: PagingQuery) -> Page[SessionRead]:
    """Where one is signed in, newest sign-in first."""
    return await sessions.list_own(paging)


@own_router.delete("/{session_id}", status_code=204, dependencies=[requires(SELF_WRITE)])
async def end_my_session(session_id: uuid.UUID, sessions: Sessions) -> None:
    """End one of one's own sessions, on a lost device perhaps. A session that is over stays so and answers 204 too."""
    await sessions.revoke_own(session_id)


@agency_router.get("", dependencies=[requires(USER_READ)])
async def list_sessions(
    sessions: SessionReads,
    paging: PagingQuery,
    user_id: OneOf[uuid.UUID] = None,
    device_id: OneOf[uuid.UUID] = None,
) -> Page[SessionRead]:
    """Who is signed in at the agency and on which device, newest sign-in first."""
    return await sessions.list_page(paging, user_id=user_id, device_id=device_id)


@agency_router.delete("/{session_id}", status_code=204, dependencies=[requires(USER_WRITE)])
async def end_session(session_id: uuid.UUID, sessions: Sessions) -> None:
    """End a session of the agency: on a lost tablet perhaps. A session that is over stays so and answers 204 too."""
    await sessions.revoke(session_id)
