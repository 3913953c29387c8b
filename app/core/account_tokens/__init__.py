"""Account tokens: the single-use links of invitations and password resets."""
