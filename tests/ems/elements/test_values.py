"""The stored form of elements and the merge of a PATCH."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.ems.elements import ElementValue, from_json, merge, to_json


def test_a_patch_replaces_by_id_and_null_removes() -> None:
    current = {
        "eResponse.08": [ElementValue(value="2208001"), ElementValue(value="2208003")],
        "eResponse.09": [ElementValue(not_value="7701003")],
        "eResponse.10": [ElementValue(value="2210001")],
    }
    patched = merge(current, {"eResponse.08": [ElementValue(value="2208013")], "eResponse.09": None})
    assert patched == {
        "eResponse.08": [ElementValue(value="2208013")],
        "eResponse.10": [ElementValue(value="2210001")],
    }
    assert len(current["eResponse.08"]) == 2


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert merge({}, {"eResponse.08": None}) == {}


def test_the_stored_form_keeps_only_what_was_given() -> None:
    values = {"eMedications.03": [ElementValue(value="317361", attributes={"CodeType": "9924003"})]}
    stored = to_json(values)
    assert stored == {"eMedications.03": [{"value": "317361", "attributes": {"CodeType": "9924003"}}]}
    assert from_json(stored) == values


@pytest.mark.parametrize(
    "entry",
    [{"value": 120}, {"value": True}, {"valeu": "1"}, {"attributes": {"CodeType": 1}}, {"value": ["1"]}, "1"],
)
def test_other_shapes_are_refused(entry: Any) -> None:
    with pytest.raises(ValidationError):
        from_json({"eVitals.06": [entry]})


def test_a_refusal_does_not_quote_the_values() -> None:
    with pytest.raises(ValidationError) as caught:
        from_json({"eVitals.06": [{"value": 120, "note": "Mary Jones"}]})
    assert "Jones" not in str(caught.value)
