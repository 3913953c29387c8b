"""Rules for repositories: they are scoped by tenant, decide nothing, and alone hold statements that write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from scripts.lint.rule import Fault, Scope, Section, rule
from scripts.lint.source import Function, SourceFile, last_name, parameters, uncalled

_REPOSITORIES = Scope(within=("app/",), named=("repository.py",))
_DECISION = re.compile(r"Transition|NotEditable|NotAllowed|Forbidden")
_CROSS_TENANT = "get_cross_tenant_for_admin_only"
_WRITES = re.compile(r"sqlalchemy\.(?:\w+\.)*(?:insert|update|delete)")


@rule(
    "FQ201",
    "a public repository method without a tenant_id parameter",
    because="the tenant of a query is stated by its caller, never taken from somewhere else (directive 1.3)",
    section=Section.TENANCY,
    scope=Scope(within=("app/",)),
)
def method_without_tenant(owner: ast.ClassDef, file: SourceFile) -> Iterable[Fault]:
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in owner.bases]
    if not any(name.endswith("Repository") for name in (owner.name, *map(last_name, bases))):
        return
    for method in owner.body:
        if not isinstance(method, Function) or method.name.startswith(("_", _CROSS_TENANT)):
            continue
        named = [parameter.arg for parameter in parameters(method)]
        computed = any(last_name(uncalled(decorator)).endswith("property") for decorator in method.decorator_list)
        if "self" in named and "tenant_id" not in named and not computed:
            yield method, f"{owner.name}.{method.name} takes no tenant_id"


@rule(
    "FQ202",
    "a cross-tenant query outside a repository",
    because="the admin bypass is rare and has one kind of place where reviewers look for it",
    section=Section.TENANCY,
    scope=Scope(within=("app/",)),
)
def cross_tenant_elsewhere(function: ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    if function.name.startswith(_CROSS_TENANT) and file.name != "repository.py":
        yield function, f"{function.name} belongs in a repository.py"


@rule(
    "FQ203",
    "a transition decided in a repository",
    because="repositories query; whether something is allowed is decided in the service (directive 1.2)",
    section=Section.LAYERS,
    scope=_REPOSITORIES,
)
def decision_in_repository(node: ast.Raise | ast.Call, file: SourceFile) -> Iterable[Fault]:
    if isinstance(node, ast.Call):
        if last_name(node.func) == "fire":
            yield node, "a repository does not fire transitions"
        return
    error = last_name(uncalled(node.exc))
    if _DECISION.search(error):
        yield node, f"{error} is the service's decision"


@rule(
    "FQ204",
    "a bulk_* function outside a repository or without an audit action",
    because="uow.change does not see a bulk statement, so its method must name what the audit will say",
    section=Section.MUTATION,
    scope=Scope(within=("app/",)),
)
def bulk_write(function: ast.FunctionDef | ast.AsyncFunctionDef, file: SourceFile) -> Iterable[Fault]:
    if not function.name.startswith("bulk_"):
        return
    if file.name != "repository.py":
        yield function, f"{function.name} belongs in a repository.py"
    elif not any(parameter.arg.endswith("action") for parameter in parameters(function)):
        yield function, f"{function.name} takes no audit action"


@rule(
    "FQ205",
    "an INSERT, UPDATE or DELETE construct in a domain outside a repository",
    because="entities are written by uow.change, anything else by a bulk_* method of a repository",
    section=Section.MUTATION,
    scope=Scope(within=("app/",), outside=("app/core/",)),
)
def write_elsewhere(call: ast.Call, file: SourceFile) -> Iterable[Fault]:
    if file.name != "repository.py" and _WRITES.fullmatch(file.qualified(call.func)):
        yield call, f"{last_name(call.func)}() belongs in a repository.py"
