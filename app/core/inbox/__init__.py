"""The inbox: a webhook's event is stored once, takes effect once, and is finished by a job where a crash came between.

`providers.py` says what a provider declares, `taking.py` takes a delivery, `settling.py` brings a receipt to its end.
"""
