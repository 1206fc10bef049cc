"""The Features page: the steps as cards, what a step does, what is suggested, and whether it helped."""
