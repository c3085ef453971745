"""The trainer processes: started, found again, listened to, and known to be alive, silent or gone."""
