"""Consent: asked for once, kept with the model, never invented."""

from __future__ import annotations

import pytest

from faceswap_gan.conversion.consent import CONSENT_FILE, read_consent, settle_consent
from faceswap_gan.errors import ModelError


def _fail():
    raise AssertionError("asked although there was no need")


def test_given_statement_is_recorded_and_used_from_then_on(tmp_path):
    assert settle_consent(tmp_path, "Ann agreed,\n to all ", _fail) == "Ann agreed, to all"
    assert settle_consent(tmp_path, None, _fail) == "Ann agreed, to all"
    assert settle_consent(tmp_path, "Bea agreed", _fail) == "Bea agreed"
    assert read_consent(tmp_path) == "Bea agreed"


def test_asked_once_where_somebody_answers(tmp_path):
    assert settle_consent(tmp_path, None, lambda: "Ann agreed") == "Ann agreed"
    assert settle_consent(tmp_path, None, _fail) == "Ann agreed"


@pytest.mark.parametrize("given", [None, "", "  \n"])
def test_nothing_stated_records_nothing(tmp_path, given):
    assert settle_consent(tmp_path, given, None) is None
    assert settle_consent(tmp_path, given, lambda: " ") is None
    assert not (tmp_path / CONSENT_FILE).exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"'])
def test_damaged_record_is_a_clear_error_and_can_be_replaced(tmp_path, text):
    (tmp_path / CONSENT_FILE).write_text(text)
    with pytest.raises(ModelError, match="state it anew"):
        settle_consent(tmp_path, None, None)
    assert settle_consent(tmp_path, "Ann agreed", None) == "Ann agreed"
