"""The drill: rehearsals under random faults of every kind, each of which must come to the same ending.

disks.py      small disks of our own, to be filled and emptied again
bot.py        the daemon as its supervisor would keep it
vault.py      the bucket, in a folder or in an embedded Google Cloud Storage
theatre.py    one play: stage, channel, disks, and what may be asked of them
outside.py    faults that befall the bot and what is around it
inside.py     faults that befall the trainer
points.py     named points at which the daemon is ended
evening.py    one play from its first HANDOFF to its last, with faults all the way
season.py     play after play, until there were faults enough or the time is up
lost.py       a machine that is lost with its disk, and another that goes on
understudy.py a trainer without learning, where a play is about the bot
reckoning.py  what was lost by the end of it
book.py       what is known of all plays so far: kept, and worded as tables
command.py    `training-claw drill`
"""
