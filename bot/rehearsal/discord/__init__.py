"""An embedded Discord on the loopback: REST v10 and gateway for the unmodified client library."""
