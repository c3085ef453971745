"""Runs of the real trainer, with and without planted causes, recorded for the detectors.

nice -n 19 python -m benches.histories.record      record what is missing (some seconds of one core each)
python -m benches.histories.table                  what the detectors make of them

Tuning: healthy-0 to healthy-49, every cause with seeds 100 to 103. Three parts of it were counted once, and
what they missed was mended by looking at them: healthy-20 to 29 with seed 101 (15 of 16 causes found, one
false alarm), then healthy-30 to 39 with seed 102 (13 of 16, one false alarm), then healthy-40 to 49 with seed
103 (15 of 16, two false alarms). Counted: healthy-50 to 59, every cause with seed 104. Some causes with seed
100 were recorded in a first version of the world (ten to fourteen episodes, up to sixty epochs): today's
recorder makes others of them, and they have no `disagreement`, which was added to the tuning half later, out
of each seed's world.
"""
