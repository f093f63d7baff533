"""The test bed: real programs on 127.0.0.1, started for one test run and gone with it.

`python3 -m bed run` starts the supervisor (`supervisor.py`). What can be started are the parts (`parts.py`); what a part
gets is its context (`context.py`), which also states what a part must be.
"""
