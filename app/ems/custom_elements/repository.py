"""Queries for custom elements."""

from __future__ import annotations

from app.core.repository import Repository
from app.ems.custom_elements.models import CustomElement


class CustomElementRepository(Repository[CustomElement]):
    entity = CustomElement
