"""The demo retailer: its places and goods, its shoppers, and the crews that do the work.

Everything goes in through the same commands that a channel, an operator or a node would call.
"""
