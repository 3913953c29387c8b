"""Tests."""

TEST = "tests/ems/test_service.py"

REFUSED = [
    ("FQ701", TEST, "def test_f():\n    assert True  # here"),
    ("FQ701", TEST, "def test_f():\n    assert 'x', 'never fails'  # here\n    assert 1  # here"),
    ("FQ701", TEST, "def test_f(x):\n    assert x == x  # here\n    assert x is x  # here"),
    ("FQ702", TEST, "def test_f():  # here\n    f()"),
    ("FQ702", TEST, "class TestF:\n    async def test_f(self):  # here\n        await f()"),
    ("FQ702", TEST, "def test_f():  # here\n    prepare_and_run()\n    recheck = checked(1)"),
    ("FQ703", TEST, "import time\ndef test_f():\n    time.sleep(1)  # here\n    assert done"),
    ("FQ703", "tests/support/app.py", "from time import sleep\nsleep(1)  # here"),
    (
        "FQ704",
        TEST,
        "import time\ndef test_f():\n    a = time.monotonic()\n    assert time.monotonic() - a < 1  # here",
    ),
    (
        "FQ704",
        TEST,
        "from time import perf_counter\nasync def test_f():\n    a = perf_counter()\n    await f()\n"
        "    b = perf_counter()\n    took = b - a\n    assert took < 1  # here",
    ),
    ("FQ705", TEST, "import pytest\n@pytest.mark.skip  # here\ndef test_f():\n    assert f()"),
    ("FQ705", TEST, "import pytest\n@pytest.mark.skip()  # here\ndef test_f():\n    assert f()"),
    ("FQ705", TEST, "import pytest\n@pytest.mark.xfail(strict=True)  # here\ndef test_f():\n    assert f()"),
    ("FQ705", TEST, "from pytest import mark\n@mark.skipif(x, reason=' ')  # here\ndef test_f():\n    assert f()"),
    ("FQ705", TEST, "import pytest\npytestmark = pytest.mark.skip  # here\ndef test_f():\n    pytest.skip()  # here"),
    ("FQ705", TEST, "import pytest\nx = pytest.param(1, marks=pytest.mark.xfail)  # here"),
    ("FQ705", TEST, "import pytest\ndef test_f():\n    pytest.xfail()  # here"),
    ("FQ705", TEST, "import pytest\n@pytest.mark.skip(reason=1)  # here\ndef test_f():\n    assert f()"),
    ("FQ702", TEST, "def test_f(untouched):  # here\n    f()"),
]
ACCEPTED = [
    ("FQ701", TEST, "def test_f(x, y):\n    assert x == y\n    assert x != x\n    assert f() == f()\n    assert False"),
    ("FQ701", "app/ems/service.py", "assert True"),
    ("FQ702", TEST, "def test_f():\n    assert f()"),
    ("FQ702", TEST, "def test_f():\n    with pytest.raises(ValueError):\n        f()"),
    ("FQ702", TEST, "async def test_f():\n    await assert_nothing_happened(x)"),
    ("FQ702", TEST, "def test_f(page):\n    expect(page).to_have_title('x')"),
    ("FQ702", TEST, "def test_f():\n    check_roundtrip(1)\ndef test_g(mock):\n    mock.assert_awaited_once()"),
    ("FQ702", TEST, "def test_f():\n    for x in y:\n        if x:\n            assert x"),
    ("FQ702", TEST, "@pytest.fixture\ndef test_tenant():\n    return make()\ndef prepare(): ..."),
    ("FQ702", "tests/support/app.py", "def test_database_url():\n    return 'x'"),
    ("FQ703", TEST, "async def test_f():\n    await asyncio.sleep(0)\n    assert done"),
    ("FQ703", "scripts/dev.py", "import time\ntime.sleep(1)"),
    (
        "FQ704",
        TEST,
        "import time\ndef test_f():\n    old = time.time() - 301\n    assert f(old, int(time.time()) - 301)",
    ),
    (
        "FQ704",
        TEST,
        "import time\ndef test_f():\n    end = time.monotonic() + 5\n    assert f()\n    assert time.monotonic() < end",
    ),
    ("FQ704", TEST, "def test_f(a, b):\n    took = b - a\n    assert took == 1"),
    ("FQ705", TEST, "import pytest\n@pytest.mark.skip(reason='no SHARED_DIR')\ndef test_f():\n    assert f()"),
    ("FQ705", TEST, "import pytest\n@pytest.mark.skip('no SHARED_DIR')\ndef test_f():\n    assert f()"),
    (
        "FQ705",
        TEST,
        "import pytest\n@pytest.mark.skipif(not D, reason=f'no {D}')\ndef test_f():\n    pytest.skip('no D')",
    ),
    ("FQ705", TEST, "import pytest\n@pytest.mark.parametrize('x', [1])\ndef test_f(x):\n    assert x"),
    ("FQ704", TEST, "import time\ndef test_f():\n    a = time.time()\n    assert f(a + 1) == f(a - 1) and 1 - a"),
    ("FQ705", TEST, "import pytest\nskip = pytest.skip"),
    *(
        ("FQ702", TEST, f"def test_f():\n    x.{name}()")
        for name in ["raises", "warns", "fail", "call_and_validate", "validate_response", "run_state_machine_as_test"]
    ),
    ("FQ704", TEST, "import time\ndef test_f():\n    a = time.time()\n    assert f(a + time.time())"),
    ("FQ702", TEST, "def test_f(check_nothing_changed):\n    f()"),
]
