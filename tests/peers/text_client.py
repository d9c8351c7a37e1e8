"""Sends texts with nothing between them, as the original text client does."""

import messages
import peer

if __name__ == "__main__":
    peer.send_paced(__doc__, messages.encode_text, lambda i: None)
