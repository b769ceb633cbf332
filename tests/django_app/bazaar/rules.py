"""What of the site is scored."""


def has_a_price(offer):
    """Whether it is for sale."""
    return offer.price > 0
