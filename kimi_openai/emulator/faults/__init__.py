"""What can go wrong on demand.

`catalogue` has the faults by name, `damage` changes a response, `fault_queue` decides which request gets a fault.
"""
