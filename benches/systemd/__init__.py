"""`make systemd-test`: the units of deploy/systemd/ under a real systemd, on an embedded Discord.

A minimal Debian is booted in a container (systemd-nspawn), the units are installed in it as
docs/operating.md says, and a real cycle is played: started, killed, frozen, upgraded, rebooted. The
checkout and its Python are lent to the container read-only, so nothing is installed twice. Needs root;
changes nothing outside its own folder.
"""
