"""The audit trail, newest first."""

from fastapi import APIRouter
from sqlalchemy import func, select

from tracehub.context import CurrentUser, Database
from tracehub.models import AuditEntry, User
from tracehub.routes import API
from tracehub.schemas import AuditOut, Limit, Offset, Page

router = APIRouter(prefix=API)


@router.get("/audit")
def list_audit(
    user: CurrentUser, session: Database, limit: Limit = 50, offset: Offset = 0
) -> Page[AuditOut]:
    mine = AuditEntry.organisation_id == user.organisation_id
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(mine)) or 0
    rows = session.execute(
        select(AuditEntry, User.email)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(mine)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
        .offset(offset)
    )
    items = [
        AuditOut(
            id=entry.id,
            at=entry.at,
            user=email,
            action=entry.action,
            subject_id=entry.subject_id,
            detail=entry.detail,
        )
        for entry, email in rows
    ]
    return Page(items=items, total=total)
