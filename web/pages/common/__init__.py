"""What pages of several subjects use: numbers and times in words, charts, the display and the fields of trainings."""
