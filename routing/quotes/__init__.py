"""What a buyer can be promised before there is an order: by which methods, when, and why."""
