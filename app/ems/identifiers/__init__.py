"""What identifies a patient beyond a name, shown whole: by a permission of its own, and never without a trace."""
