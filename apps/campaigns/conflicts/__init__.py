"""Where plans collide: rules over a frozen plan, what people decide about it, and ways out with their measured effect."""
