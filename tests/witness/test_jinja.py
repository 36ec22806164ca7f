"""Thousands of small templates render to the same bytes as jinja2's, or fail as they do there."""
import jinja_cases
from jinja_witness import differences


def test_small_templates(tmp_path):
    cases = [{"template": source, "variables": jinja_cases.VARIABLES} for source in jinja_cases.templates()]
    wrong = differences(cases, tmp_path)
    assert [(case["template"], got, wanted) for case, got, wanted in wrong] == []
    assert len(cases) > 5000
