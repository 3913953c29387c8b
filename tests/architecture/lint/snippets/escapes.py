"""The escapes themselves."""

SERVICE = "app/ems/incidents/service.py"

REFUSED = [
    ("FQ001", SERVICE, "print(1)  # lint: allow FQ503 # here"),
    ("FQ001", SERVICE, "print(1)  # lint: allow FQ503 () # here"),
    ("FQ001", SERVICE, "print(1)  # lint: allow everything # here"),
    ("FQ001", SERVICE, "print(1)  # lint: allow FQ998 (because) # here"),
    ("FQ002", SERVICE, "x = 1  # lint: allow FQ503 (it used to print) # here"),
    ("FQ002", SERVICE, "# lint: allow FQ503 (speaks for the next line only) # here\nx = 1\nprint(x)"),
    ("FQ002", SERVICE, "print(1)  # lint: allow FQ503, FQ501 (the second is not needed) # here"),
    ("FQ002", "tests/ems/test_x.py", "print(1)  # lint: allow FQ503 (not a rule for tests) # here"),
    ("FQ003", SERVICE, "def broken(: # here"),
    ("FQ003", SERVICE, "x = '\udcff' # here"),
    ("FQ003", SERVICE, "x = 1\ndef broken(: # here"),
]
ACCEPTED = [
    ("FQ001", SERVICE, "print(1)  # lint: allow FQ503 (the console (a real one) is the interface)"),
    ("FQ001", SERVICE, "print(1)  # a note about linting: print is not allowed"),
    ("FQ002", SERVICE, "print(1)  # lint: allow FQ503 (the console is the interface)  # noqa: T201"),
    ("FQ002", SERVICE, "def f() -> None:\n    # lint: allow FQ503 (the console is the interface)\n    print(1)"),
    ("FQ002", SERVICE, "x = '# lint: allow FQ503 (text, not a comment)'"),
    ("FQ003", SERVICE, "match x:\n    case 1: y = 2"),
    ("FQ002", SERVICE, "print(1)  # lint: allow FQ998 (an unknown rule is FQ001's business)"),
]
