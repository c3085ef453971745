"""Did the whole play take place, in the channel's manners? Pure functions of what was said."""
