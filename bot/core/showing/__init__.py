"""What people may look at: pure views over (state, gauges, now). Nothing here changes anything."""
