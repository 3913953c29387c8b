"""The inbox: an event of a webhook is stored once and takes effect once. A job finishes it after a crash.

`providers.py` says what a provider declares, `taking.py` takes a delivery, `settling.py` brings a receipt to its end.
"""
