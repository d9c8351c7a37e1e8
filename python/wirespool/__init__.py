"""Record TCP sessions to pcap, read captures as messages, and replay them against either side."""

__all__: list[str] = []
