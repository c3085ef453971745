"""Runs of the real trainer, with and without planted causes, recorded for the detectors.

nice -n 19 python -m benches.histories.record      record what is missing (some seconds of one core each)
python -m benches.histories.table                  what the detectors make of them

Of the tuning part healthy-0 to healthy-9 and some causes with seed 100 were recorded in a first version
of the world (ten to fourteen episodes, up to sixty epochs): the recorder as it is now makes others of them.
"""
