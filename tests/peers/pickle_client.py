"""Sends pickles with nothing between them, as the original pickle client does."""

import messages
import peer

if __name__ == "__main__":
    peer.send_paced(__doc__, messages.encode_pickle, lambda i: None)
