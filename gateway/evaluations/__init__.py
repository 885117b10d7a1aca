"""What came of asking each check last, and what checks in shadow have found."""
