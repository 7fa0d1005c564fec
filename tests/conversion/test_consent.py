"""Consent: asked for once, kept with the model, never invented."""

from __future__ import annotations

import io

import pytest

from faceswap_gan.conversion.consent import CONSENT_FILE, DRAWN, read_consent, require_consent, settle_consent
from faceswap_gan.errors import ModelError, SettingsError


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


def test_without_a_statement_nothing_is_swapped(tmp_path):
    for given, ask in ((None, lambda: "  "), (" ", lambda: "")):
        with pytest.raises(SettingsError, match="--consent"):
            require_consent([tmp_path], given, ask=ask)
    assert not (tmp_path / CONSENT_FILE).exists()


def test_no_terminal_asks_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("Ann agreed\n"))
    with pytest.raises(SettingsError, match="got none"):
        require_consent([tmp_path], None)


def test_a_terminal_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("Ann  agreed\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert require_consent([tmp_path], None) == "Ann agreed"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert require_consent([tmp_path], None) == "Ann agreed"


def test_several_models_state_each_their_own(tmp_path):
    models = [tmp_path / name for name in "abc"]
    for model, said in zip(models, ("Ann agreed", "Bea agreed", "Ann agreed"), strict=True):
        model.mkdir()
        settle_consent(model, said, None)
    assert require_consent(models, None) == "Ann agreed; Bea agreed"
    (models[1] / CONSENT_FILE).unlink()
    with pytest.raises(SettingsError, match="swap of .*b,"):
        require_consent(models, None, ask=lambda: "")
    assert require_consent(models, "all agreed") == "all agreed"
    assert read_consent(models[1]) == "all agreed"


def test_a_model_yet_to_be_made_and_no_model_at_all(tmp_path):
    for models in ([tmp_path / "later"], []):
        assert require_consent(models, " Ann\nagreed ") == "Ann agreed"
        assert require_consent(models, None, ask=lambda: "Ann agreed") == "Ann agreed"
        with pytest.raises(SettingsError, match="who agreed"):
            require_consent(models, None, ask=lambda: "")
    assert not (tmp_path / "later").exists()


def test_what_the_demo_states_holds_for_the_demo_alone(tmp_path):
    assert require_consent([tmp_path], DRAWN) == DRAWN
    assert not (tmp_path / CONSENT_FILE).exists()
    with pytest.raises(SettingsError, match="--consent"):
        require_consent([tmp_path], None, ask=lambda: "")
    settle_consent(tmp_path, DRAWN, None)  # as an older version kept it
    with pytest.raises(SettingsError, match="--consent"):
        require_consent([tmp_path], None, ask=lambda: "")
