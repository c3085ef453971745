"""Runs of the real trainer, with and without planted causes, recorded for the detectors.

nice -n 19 python -m benches.histories.record      record what is missing (some seconds of one core each)
python -m benches.histories.table                  what the detectors make of them

Tuning: healthy-0 to healthy-29, every cause with seeds 100 and 101. Of those healthy-20 to healthy-29
and seed 101 were counted once (15 of 16 causes found, one false alarm), and what they missed was mended
by looking at them. Counted: healthy-30 to healthy-39, every cause with seed 102. Some causes with seed
100 were recorded in a first version of the world (ten to fourteen episodes, up to sixty epochs): today's
recorder makes others of them.
"""
