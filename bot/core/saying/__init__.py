"""What we say: words of the tracks, answers, reports, last words; and how often anybody is answered."""
