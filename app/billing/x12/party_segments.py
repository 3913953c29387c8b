"""NM1, N3, N4, PER and DMG: how the 837P names people, organisations and places."""

from collections.abc import Iterator
from datetime import date

from app.billing.x12.parties import CanadianAddress, Contact, ForeignAddress, PersonName, PostalAddress
from app.billing.x12.segments import Segment, bare_digits, date_text
from app.core.geography import CANADA


def organization(entity: str, name: str, qualifier: str, number: str) -> Segment:
    """NM1 of a non-person; `entity` is NM101, `qualifier` NM108."""
    return Segment.of("NM1", entity, "2", name, None, None, None, None, qualifier, number)


def individual(entity: str, name: PersonName, qualifier: str | None = None, number: str | None = None) -> Segment:
    """NM1 of a person; `entity` is NM101, `qualifier` NM108."""
    return Segment.of("NM1", entity, "1", name.last, name.first, name.middle, None, name.suffix, qualifier, number)


def place(address: PostalAddress) -> Iterator[Segment]:
    """N3 and N4. N404 and N407 stand abroad only."""
    yield Segment.of("N3", address.line1, address.line2)
    code = bare_digits(address.zip_code or "")
    if isinstance(address, ForeignAddress):
        yield Segment.of("N4", address.city, None, code, address.country, None, None, address.state)
    else:
        country = CANADA if isinstance(address, CanadianAddress) else None
        yield Segment.of("N4", address.city, address.state, code, country)


def contact_segment(contact: Contact) -> Segment:
    """PER*IC with a telephone number."""
    return Segment.of("PER", "IC", contact.name, "TE", bare_digits(contact.phone))


def demographics(birth_date: date, sex: str) -> Segment:
    """DMG."""
    return Segment.of("DMG", "D8", date_text(birth_date), sex)
