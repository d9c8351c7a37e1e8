"""Sends TempEvents with nothing between them, as the original protobuf client does."""

import messages
import peer


def sent(i: int) -> str:
    """The line that the original client prints after each send."""
    fields = messages.temp_event(i)
    return "Sent TempEvent: " + ", ".join(f"{name}={value}" for name, value in fields.items())


if __name__ == "__main__":
    peer.send_paced(__doc__, messages.encode_temp_event, sent)
