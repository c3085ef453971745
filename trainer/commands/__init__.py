"""What a person, the bot or a unit can call: one module a matter, all gathered in `trainer.__main__`.

simulate   episodes as the simulator writes them, sound or spoiled
admit      is this data fit to train on (validate), and into what is trained on (convert)
work       the jobs: from the bot (run), from the wish list (take), by hand (train)
evaluate   how good a checkpoint is
weights    the backbone's ImageNet weights
options    what several of them are called with, and how they show examples
errors     what a person can do something about, in one line
"""
