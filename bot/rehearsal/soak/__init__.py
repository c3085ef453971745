"""Many messages in and out of the real daemon, with faults and kills: `python -m bot.rehearsal.soak`."""
