"""Names, docstrings, comments. (The words that rule FQ604 looks for are put together here, lest it find them.)"""

SERVICE = "app/ems/incidents/service.py"
LATER = "TO" + "DO"

REFUSED = [
    ("FQ601", "app/ems/utils.py", "# here"),
    ("FQ601", "app/ems/helpers/dates.py", "# here"),
    ("FQ601", "app/ems/date_utils.py", "# here"),
    ("FQ601", "app/core/common/__init__.py", "# here"),
    ("FQ601", "app/ems/manager.py", "# here"),
    ("FQ601", "scripts/data.py", "# here"),
    ("FQ601", "tests/ems/base2.py", "# here"),
    ("FQ601", "tests/info.py", "# here"),
    ("FQ602", SERVICE, "x = 1 # here"),
    ("FQ602", "scripts/seed.py", "'''  '''  # here\nx = 1"),
    ("FQ603", SERVICE, "# ------------- # here"),
    ("FQ603", SERVICE, "x = 1\n# ===== Queries ===== # here"),
    ("FQ603", "tests/ems/test_service.py", "########## # here"),
    ("FQ604", SERVICE, f"x = 1  # {LATER}: raise # here"),
    ("FQ604", SERVICE, "def f():\n    x = 1  # FIX" + "ME # here"),
    ("FQ604", "tests/ems/test_service.py", "# X" + "XX what about null # here"),
    ("FQ604", SERVICE, f"class Claim:\n    '''{LATER}: describe.'''  # here"),
    *(("FQ603", f"{place}/x.py", "# ----- # here") for place in ("app", "bench", "migrations", "scripts", "tests")),
]
ACCEPTED = [
    ("FQ601", "app/realtime/manager.py", ""),
    ("FQ601", "app/realtime/websocket_manager.py", ""),
    ("FQ601", "app/nemsis/information_model.py", ""),
    ("FQ601", "app/ems/database.py", ""),
    ("FQ602", "app/ems/__init__.py", ""),
    ("FQ602", SERVICE, "'''Opens, revises and locks charts.'''"),
    ("FQ602", "tests/ems/test_service.py", "x = 1"),
    ("FQ603", SERVICE, "x = '----------'  # a rule of the form -- or ==\n# a -> b --- c"),
    ("FQ603", SERVICE, "#!/usr/bin/env python\nx = [1]  ## two"),
    ("FQ604", SERVICE, f"x = '{LATER}'  # a word in a value, not in a comment; XXXL is a size"),
    ("FQ604", SERVICE, "# things to do: none"),
    ("FQ604", SERVICE, f"def f():\n    'Things to do: none.'\ndef g():\n    '{LATER}'.lower()"),
]
