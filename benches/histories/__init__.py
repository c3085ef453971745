"""Runs of the real trainer, with and without planted causes, recorded for the detectors.

nice -n 19 python -m benches.histories.record      record what is missing (some seconds of one core each)
python -m benches.histories.table                  what the detectors make of them
"""
