"""Would kernel X accept it?  The verifier: verdict, errno, log and counts of the Linux kernel, without one."""
