"""Calls to outside systems: the leased attempt with its retries, and the shape "read, call out, record".

A domain declares a kind of attempt in four steps.

1. Its entity extends `columns.OutboundEntity` and adds `status`, `failure_code` and what it needs of its own;
   `columns.lease_index` belongs to its table. The table grants SELECT to the system role
   (`secure(…, system="SELECT")`), because the sweep looks for ended leases of every agency.
2. Its lifecycle has the moves of an attempt: start (queued → running), succeed (running → succeeded), fail (running →
   failed) and retry (running → queued). The domain chooses the names; only the system fires them.
3. A `kind.OutboundKind` names the parts: what an attempt reads, how it calls, what it records, how long a lease lasts,
   how often and after which delays it is tried. `admit` and `breaking` are optional.
4. `app/registry.py` lists the kind in OUTBOUND. Its job and the one sweep of all kinds follow from that list.

For an attempt, create the entity and call `service.Attempts(uow, KIND).queue(entity)` in one unit of work.
A call within a request, without an entity of its own, uses `outside.call_outside` alone.
docs/adr/0018-outbound-attempts.md gives the reasons.
"""
