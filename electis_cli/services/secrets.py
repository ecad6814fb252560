"""What is stored sealed: AIMS passwords and mail bodies, each bound to its place."""

from __future__ import annotations

from electis_cli.adapters.sealing import Sealer
from electis_cli.db.organizations import Organization
from electis_cli.domain.errors import AimsNotConfigured


def seal_aims_password(sealer: Sealer, org_id: str, password: str) -> str:
    """Return an AIMS password sealed for its organization."""
    return sealer.seal(password, purpose=f"aims-password/{org_id}")


def open_aims_password(sealer: Sealer, organization: Organization) -> str:
    """Return an organization's AIMS password. Raises AimsNotConfigured, MasterKeyProblem."""
    if organization.aims_password is None:
        raise AimsNotConfigured
    return sealer.open(organization.aims_password, purpose=f"aims-password/{organization.id}")


def seal_mail_body(sealer: Sealer, mail_id: str, body: str) -> str:
    """Return a mail's body sealed."""
    return sealer.seal(body, purpose=f"mail/{mail_id}")


def open_mail_body(sealer: Sealer, mail_id: str, sealed: str) -> str:
    """Return a mail's body."""
    return sealer.open(sealed, purpose=f"mail/{mail_id}")


def seal_answer(sealer: Sealer, exchange_id: str, body: str) -> str:
    """Return the body of an error answer sealed."""
    return sealer.seal(body, purpose=f"answer/{exchange_id}")


def open_answer(sealer: Sealer, exchange_id: str, sealed: str) -> str:
    """Return the body of an error answer."""
    return sealer.open(sealed, purpose=f"answer/{exchange_id}")
