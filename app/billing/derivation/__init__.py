"""Claims make themselves: the rules that turn a locked chart into the values of a claim, each with its evidence."""
