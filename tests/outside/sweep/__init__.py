"""What looking at many costs: a network in which nobody listens, and a plant of a thousand."""
