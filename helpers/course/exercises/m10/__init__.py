<<<<<<< HEAD
<<<<<<< HEAD
"""Module 10, Cut the cost: what is counted, what is answered without a model, what is saved."""
=======
"""Module 10, Cut the cost: what is paid for, what need not be, and what that costs elsewhere."""
>>>>>>> lab2
=======
"""Module 10, Cut the cost: what is paid for, what need not be, and what that costs elsewhere."""
>>>>>>> lab3
