"""Who did what: written in the same transaction as the deed."""

from sqlalchemy.orm import Session

from tracehub.models import AuditEntry, User


def record(session: Session, user: User, action: str, subject_id: int, **detail: str | int) -> None:
    session.add(
        AuditEntry(
            organisation_id=user.organisation_id,
            user_id=user.id,
            action=action,
            subject_id=subject_id,
            detail=detail,
        )
    )
