"""What a clearinghouse answers, written without the service's reader: 999, 277CA and Office Ally's status file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def _interchange(group: str, version: str, segments: Sequence[str], number: int) -> str:
    isa = f"ISA*00*{' ' * 10}*00*{' ' * 10}*30*330897513      *ZZ*371234567      *261105*1105*^*00501*{number:09}*0*P*:"
    body = [*segments, f"SE*{len(segments) + 1}*0001"]
    gs = f"GS*{group}*330897513*371234567*20261105*1105*{number}*X*{version}"
    return "".join(f"{one}~\n" for one in (isa, gs, *body, f"GE*1*{number}", f"IEA*1*{number:09}"))


def set_acknowledgement(control_number: int, sets: Mapping[str, tuple[str, list[str]]], *, verdict: str) -> str:
    """A 999 for the group `control_number`. `sets` says of each ST02 its verdict and the segments that complain."""
    version = "005010X222A1"
    segments = ["ST*999*0001*005010X231A1", f"AK1*HC*{control_number}*{version}"]
    for name, (judged, faults) in sets.items():
        segments += [f"AK2*837*{name}*{version}", *faults, f"IK5*{judged}{'*5' if judged == 'R' else ''}"]
    taken = sum(judged in "AE" for judged, _ in sets.values())
    segments.append(f"AK9*{verdict}*{len(sets)}*{len(sets)}*{taken}")
    return _interchange("FA", "005010X231A1", segments, 201)


def claim_acknowledgement(claims: Mapping[str, str], *, sender: str = "AY", batch: str = "BATCH0001") -> str:
    """A 277CA. `claims` says of each CLM01 the status (STC01), `batch` is BHT03 of what was sent."""
    stamp = "20261105"
    segments = [
        "ST*277*0001*005010X214",
        f"BHT*0085*08*RPT0001*{stamp}*1300*TH",
        "HL*1**20*1",
        f"NM1*{sender}*2*OFFICE ALLY*****46*330897513",
        "TRN*1*OA20261105",
        f"DTP*050*D8*{stamp}",
        f"DTP*009*D8*{stamp}",
        "HL*2*1*21*1",
        "NM1*41*2*PRAIRIE EMS*****46*371234567",
        f"TRN*2*{batch}",
        f"STC*A1:19:PR*{stamp}*WQ*650",
        f"QTY*90*{len(claims) or 1}",
        "AMT*YU*650",
        "HL*3*2*19*1",
        "NM1*85*2*PRAIRIE EMS*****XX*1467890129",
        "TRN*1*0",
        "STC*A1:19:PR**WQ*650",
    ]
    for at, (number, status) in enumerate(claims.items(), start=4):
        refused = status[:2] in ("A3", "A6", "A7", "A8")
        text = "********MODIFIER MISSING" if refused else ""
        segments += [
            f"HL*{at}*3*PT",
            "NM1*QC*1*MUSTER*ZOE****MI*1EG4TE5MK73",
            f"TRN*2*{number}",
            f"STC*{status}*{stamp}*{'U' if refused else 'WQ'}*650{text}",
            *([] if refused else [f"REF*1K*ICN{number[-9:]}"] if len(number) > 9 else []),
            "DTP*472*D8*20261101",
        ]
    return _interchange("HN", "005010X214", segments, 301)


def office_ally_status(
    *, accepted: Sequence[str], errors: Mapping[str, str], pending: Sequence[str], wording: str
) -> str:
    """A file summary in Office Ally's columns. `errors` says of each account its error code."""

    def row(number: int, account: str, codes: str = "") -> str:
        columns = ((0, f"{number})"), (7, "OA90000001"), (19, "P1"), (37, "MUSTER,ZOE"), (57, "02/17/1948"))
        more = (
            (70, "11/01/2026"),
            (81, "11/01/2026"),
            (92, "A0429"),
            (121, account[:14]),
            (146, "00952"),
            (153, codes),
        )
        line = ""
        for start, text in (*columns, *more):
            line = line.ljust(start) + text
        return line

    lines = ["Date Processed: 11/05/2026", "File Name: OATEST_837P_1.txt", "", "-------ACCEPTED CLAIM DETAIL-------"]
    lines += [row(number, account) for number, account in enumerate(accepted, 1)]
    lines += ["", "-------ERROR CLAIM DETAIL-------"]
    lines += [row(number, account, code) for number, (account, code) in enumerate(errors.items(), 1)]
    lines += [f"+---> 1 # errors {code} - {wording}" for code in errors.values()]
    lines += ["", "PENDING CLAIM DETAIL"]
    lines += [row(number, account) for number, account in enumerate(pending, 1)]
    return "\n".join(lines)
