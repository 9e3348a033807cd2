"""The table of training results of the first network, reproduced: its runs, and the page about them."""
