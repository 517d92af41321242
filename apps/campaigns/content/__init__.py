"""What a message says: Liquid in blocks, HTML or text, compiled once and filled per person."""
