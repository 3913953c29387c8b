"""What billers have to do: claims by what they wait for, who works on each, and since when it may rest."""
