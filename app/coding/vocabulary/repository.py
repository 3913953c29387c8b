"""Queries for an agency's own terms."""

from __future__ import annotations

from app.coding.vocabulary.models import VocabularyTerm
from app.core.repository import Repository


class VocabularyRepository(Repository[VocabularyTerm]):
    entity = VocabularyTerm
    filters = ("spoken",)
