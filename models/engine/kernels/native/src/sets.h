// What this program and this processor have. Apart from kernel-table.h, since kernels include no header of the library.
#pragma once
#include <vector>

#include "kernel-table.h"

/** The fastest first. */
std::vector<const KernelTable*> availableSets();
