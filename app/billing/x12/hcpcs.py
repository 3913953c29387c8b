"""The HCPCS codes of ambulance services: what each is for, and until when a retired one was in force.

Source: HCPCS Level II, A0021 to A0999. The codes A0300 to A0370 gave way to Medicare's ambulance fee schedule
(42 CFR 414.601), which began on 1 April 2002; Q3019 and Q3020 ended with 2005.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

AMBULANCE_CODES: Mapping[str, str] = {
    "A0021": "Ambulance service, outside state, per mile",
    "A0080": "Non-emergency transport by a volunteer, per mile",
    "A0090": "Non-emergency transport by an individual, per mile",
    "A0100": "Non-emergency transport by taxi",
    "A0110": "Non-emergency transport by bus",
    "A0120": "Non-emergency transport by mini-bus",
    "A0130": "Non-emergency transport by wheelchair van",
    "A0140": "Non-emergency transport by air",
    "A0160": "Non-emergency transport by a case worker, per mile",
    "A0170": "Parking fees and tolls",
    "A0180": "Lodging of a recipient",
    "A0190": "Meals of a recipient",
    "A0200": "Lodging of an escort",
    "A0210": "Meals of an escort",
    "A0225": "Ambulance service, neonatal transport, one way",
    "A0380": "BLS mileage, per mile",
    "A0382": "BLS routine disposable supplies",
    "A0384": "BLS supplies for defibrillation",
    "A0390": "ALS mileage, per mile",
    "A0392": "ALS supplies for defibrillation",
    "A0394": "ALS supplies for intravenous therapy",
    "A0396": "ALS supplies for intubation",
    "A0398": "ALS routine disposable supplies",
    "A0420": "Waiting time, per half hour",
    "A0422": "Oxygen and its supplies",
    "A0424": "Extra attendant",
    "A0425": "Ground mileage, per statute mile",
    "A0426": "ALS1, non-emergency",
    "A0427": "ALS1, emergency",
    "A0428": "BLS, non-emergency",
    "A0429": "BLS, emergency",
    "A0430": "Fixed wing, one way",
    "A0431": "Rotary wing, one way",
    "A0432": "Paramedic intercept, rural area",
    "A0433": "ALS2",
    "A0434": "Specialty care transport",
    "A0435": "Fixed wing mileage, per statute mile",
    "A0436": "Rotary wing mileage, per statute mile",
    "A0888": "Mileage that is not covered, per mile",
    "A0998": "Ambulance response and treatment, no transport",
    "A0999": "Ambulance service without a code of its own",
}

_BEFORE_THE_FEE_SCHEDULE = dt.date(2002, 3, 31)
RETIRED_CODES: Mapping[str, dt.date] = {
    **{f"A0{number}": _BEFORE_THE_FEE_SCHEDULE for number in range(300, 371, 2)},
    "Q3019": dt.date(2005, 12, 31),
    "Q3020": dt.date(2005, 12, 31),
}
"""The last day of each."""
